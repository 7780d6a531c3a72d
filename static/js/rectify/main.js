// The page on which captions are rectified, by keys alone. What a key shows is here before it is pressed; what it says is
// sent in the background.

import { mountHistory } from "../captions/history.js";
import { mergeView } from "../captions/merge.js";
import { connect } from "../captions/remote.js";
import { Failure } from "../lib/http.js";
import { Keymap } from "../lib/keymap.js";
import { Keys } from "../lib/keys.js";
import { KeysDialog } from "../lib/keysdialog.js";
import { Preferences } from "../lib/preferences.js";
import { Claims } from "../review/claims.js";
import { number } from "../review/words.js";
import { Viewing } from "../viewer/viewing.js";
import { Feed } from "./feed.js";
import { Parts } from "./parts.js";
import { Prompt } from "./prompt.js";
import { Readings } from "./readings.js";
import { Saving } from "./saving.js";
import { Words } from "./words.js";

const AHEAD = 6;
const BEHIND = 2;
const STATES = { unread: "not read", read: "read", confirmed: "confirmed" };
const UNDONE = { accept: "is not accepted any more", flag: "has no flag any more", unflag: "is flagged again" };

class Rectify {
  #work = null;
  #done = [];
  #rival = -1;
  #conflict = null;
  #history = null;

  constructor(root, page) {
    this.root = root;
    this.page = page;
    const { area, person } = page;
    this.stage = root.querySelector("#stage");
    this.keys = new Keys();
    this.preferences = new Preferences({ values: page.preferences, url: page.urls.preferences, person: person.id });
    this.remote = connect({ area, person: String(person.id) });
    this.claims = new Claims(page);
    this.feed = new Feed({ first: page.first, filter: page.filter, url: page.urls.queue, claims: this.claims });
    this.left = page.first.left;
    this.viewing = new Viewing(this.stage, { root, page, keys: this.keys, preferences: ownLayers(this.preferences) });
    this.saving = new Saving({ area, person: String(person.id), remote: this.remote });
    this.readings = new Readings({ area, person: person.id, address: this.remote.readings });
    const say = (text, urgent) => this.#say(text, urgent);
    this.words = new Words(root, { onTyped: (text) => this.#change({ text }) });
    this.parts = new Parts(root, { onChange: (components) => this.#change({ components }), say });
    this.prompt = new Prompt(root, {
      work: () => this.#current && { index: this.#current.index, ...this.#work },
      ask: this.remote.preview,
      onPreview: (_index, preview) => this.#ghost(preview.diff),
      onByHand: (prompt) => this.#byHand(prompt),
      say,
    });
  }

  async start() {
    await this.readings.open();
    const actions = { ...this.viewing.actions, ...this.#actions };
    const keymap = new Keymap(this.root, { page: "rectify-queue", preferences: this.preferences });
    const list = new KeysDialog(document.getElementById("keys"), this.keys, keymap);
    actions.help = () => list.open();
    for (const button of this.root.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => this.keys.run(actions[button.dataset.action]));
    }
    this.keys.follow(keymap, actions);
    this.#part("save").addEventListener("click", () => this.keys.run(() => this.#save()));
    document.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
    this.#listen();
    this.saving.outbox.resume();
    this.#show();
    this.#tellUnsent();
    this.root.dataset.started = "true";
  }

  get #actions() {
    return {
      accept: () => this.#accept(),
      edit: () => this.#current && this.words.focus(),
      revert: () => this.#revert(),
      skip: () => this.#next(),
      previous: () => this.#back(),
      flag: () => this.#flag(),
      rival: () => this.#nextRival(),
      take: () => this.#take(),
      undo: () => this.#undo(),
      "next-finding": () => this.words.nextFinding() && this.#say(this.words.marked.message),
      dismiss: () => this.#dismiss(),
      term: () => this.parts.term.focus(),
      category: () => this.parts.category.focus(),
      weather: () => this.parts.weather.focus(),
      "by-hand": () => this.prompt.byHand(),
      history: () => this.#toggleHistory(),
      trouble: () => this.#toTrouble(),
    };
  }

  get #current() {
    return this.feed.current;
  }

  #listen() {
    this.viewing.addEventListener("ready", () => this.#markReady());
    this.viewing.addEventListener("say", ({ detail }) => this.#say(detail));
    this.feed.addEventListener("change", ({ detail }) => this.#fed(detail));
    this.feed.addEventListener("failure", ({ detail }) => this.#say(`The next captions are not here yet. ${detail.message}`, true));
    this.saving.addEventListener("change", ({ detail }) => this.#written(detail.index));
    this.saving.addEventListener("saved", ({ detail }) => this.#saved(detail));
    this.readings.addEventListener("change", () => this.#tellUnsent());
    this.readings.addEventListener("said", ({ detail }) => this.#said(detail));
    this.readings.addEventListener("lost", ({ detail }) => this.#lost(detail));
    this.#part("history").addEventListener("toggle", () => this.#showHistory());
    this.claims.start({ held: () => this.feed.held, lost: (claims) => this.#taken(claims) });
    addEventListener("beforeunload", (event) => this.saving.unsent && event.preventDefault());
  }

  // --- Reading ---

  async #accept() {
    const item = this.#current;
    if (!item) return;
    if (this.saving.has(item.index)) {
      this.#say("You have changed it: Ctrl+Enter saves it, r drops the change.", true);
      return;
    }
    const { caption } = item;
    const id = await this.readings.add(item.index, "accept", { base_version: caption.version });
    this.#done.push({ verb: "accept", index: item.index, id, before: { state: caption.state, own: caption.own } });
    this.#count(caption, -1);
    if (caption.state === "unread") Object.assign(caption, { state: "read", own: true });
    await this.#next(`${item.name} is accepted.`);
  }

  async #flag() {
    const item = this.#current;
    if (!item) return;
    const { caption } = item;
    if (this.saving.state(item.index)?.kind === "sending") {
      this.#say("Its text is being saved. Flag it in a moment.", true);
      return;
    }
    const verb = caption.flagged ? "unflag" : "flag";
    const id = await this.readings.add(item.index, verb, { base_version: caption.version });
    this.#done.push({ verb, index: item.index, id, before: { flagged: caption.flagged } });
    caption.flagged = !caption.flagged;
    this.#head();
    this.#say(caption.flagged ? `${item.name} is flagged.` : `${item.name} has no flag any more.`);
  }

  async #undo() {
    const last = this.#done.pop();
    if (!last) {
      this.#say("There is nothing of this visit to undo.", true);
      return;
    }
    await this.#goTo(last.index);
    const { name, caption } = this.#current;
    if (last.verb === "save") {
      this.#say(`${name} was saved: an earlier version comes back through its history, h.`, true);
      return;
    }
    if (last.verb === "dismiss") {
      await this.#undismiss(last);
      return;
    }
    await this.readings.add(last.index, "undo", { undoes: last.id });
    Object.assign(caption, last.before);
    if (last.verb === "accept") this.#count(caption, 1);
    this.#show();
    this.#say(`Undone: ${name} ${UNDONE[last.verb]}.`);
  }

  /** One more or one less that nobody has read. */
  #count(caption, by) {
    if (caption.state === "unread") this.left = Math.max(0, this.left + by);
  }

  #said({ index, answer }) {
    const item = this.feed.find(index);
    if (!item) return;
    Object.assign(item.caption, { state: answer.state, flagged: answer.flagged });
    if (item === this.#current) this.#head();
  }

  async #lost({ index, message, stale }) {
    this.#done = this.#done.filter((done) => done.index !== index);
    this.#say(`tile_${index}: ${message}${stale ? " It comes again." : ""}`, true);
    if (!this.feed.find(index)) return;
    this.feed.again(index);
    await this.#refresh(index);
  }

  // --- Writing ---

  #change(changes) {
    const item = this.#current;
    if (!item) return;
    this.#work = { ...this.#work, ...changes };
    this.saving.write(item.index, this.#work, item.caption);
    this.prompt.later();
    this.#status();
  }

  #byHand(prompt) {
    const { prompt: _before, ...components } = this.#work.components;
    this.#change({ components: prompt ? { ...components, prompt } : components });
  }

  async #save() {
    const item = this.#current;
    if (!item) return;
    this.parts.enter();
    if (!this.saving.has(item.index)) {
      this.#say("Nothing is changed: Enter accepts it as it stands.", true);
      return;
    }
    if (!this.#work.text.trim()) {
      this.#say("A caption cannot be empty. Write what the tile shows, or press r to leave it as it was.", true);
      return;
    }
    if (this.#conflict) return; // the view beside it asks what to do
    this.#count(item.caption, -1);
    this.#done.push({ verb: "save", index: item.index });
    this.saving.submit(item.index);
    document.activeElement?.blur();
    await this.#next(`${item.name} is saved.`);
  }

  #revert() {
    const item = this.#current;
    if (!item) return;
    if (!this.saving.has(item.index)) {
      this.#say("Nothing is changed.");
      return;
    }
    this.saving.drop(item.index);
    this.#show();
    this.#say("What was not saved is dropped.");
  }

  async #saved(caption) {
    const item = this.feed.find(caption.index);
    if (item) Object.assign(item.caption, { version: caption.version, text: caption.text, draft: null });
    this.#tellUnsent();
    if (item) await this.#refresh(caption.index);
  }

  /** Read one again; what is on the screen is shown anew. Without an answer the page goes on with what it has. */
  async #refresh(index) {
    await this.feed.refresh(index).catch((failure) => {
      if (!(failure instanceof Failure)) throw failure;
    });
  }

  #written(index) {
    if (index === this.#current?.index) {
      this.#status();
      this.#merge();
    }
    this.#tellUnsent();
  }

  #pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) this.keys.run(() => this.#save());
  }

  // --- Rivals, findings, history ---

  #nextRival() {
    const { rivals } = this.#current?.caption ?? { rivals: [] };
    if (!rivals.length) {
      this.#say("No other captioner has written about this tile.");
      return;
    }
    this.#rival = this.#rival + 1 >= rivals.length ? -1 : this.#rival + 1;
    this.#ghost();
    this.#say(this.#part("ghost-name").textContent);
  }

  /** The words below become a draft above. */
  #take() {
    const { rivals, machine } = this.#current?.caption ?? {};
    const chosen = rivals?.[this.#rival] ?? machine;
    if (!chosen) return;
    const components = chosen.components ? { ...this.#work.components, ...chosen.components } : this.#work.components;
    this.words.write(chosen.text);
    this.parts.show(components);
    this.#change({ text: chosen.text, components });
    this.#say(`The words of ${chosen.captioner ?? chosen.origin} are a draft now: Ctrl+Enter saves them, r drops them.`);
  }

  #ghost(diff) {
    const { rivals, machine } = this.#current.caption;
    const rival = rivals[this.#rival];
    this.#diff = diff ?? this.#diff;
    this.#part("rivals").textContent = rivals.length ? `${this.#rival + 1} of ${rivals.length}` : "";
    if (rival) {
      const sure = rival.confidence === null ? "" : `, ${Math.round(100 * rival.confidence)} % sure`;
      this.words.ghost(`Rival: ${rival.captioner}${sure}`, rival.text);
    } else {
      this.words.ghost(machine ? `What ${machine.origin} wrote` : "", machine?.text ?? "", this.#diff);
    }
  }

  #diff = [];

  async #dismiss() {
    const item = this.#current;
    const finding = this.words.marked;
    if (!item || !finding) return;
    try {
      await this.remote.dismiss(item.index, finding.id);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#say(`Not dismissed. ${failure.message}`, true);
      return;
    }
    item.caption.findings = item.caption.findings.filter((other) => other !== finding);
    this.#done.push({ verb: "dismiss", index: item.index, finding });
    this.words.show(this.#work.text, item.caption.findings);
    this.#say(`Dismissed: ${finding.message}`);
  }

  async #undismiss({ index, finding }) {
    try {
      await this.remote.undismiss(index, finding.id);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#say(`Not undone. ${failure.message}`, true);
      return;
    }
    await this.#refresh(index);
    this.#say(`Undone: it counts again. ${finding.message}`);
  }

  #toggleHistory() {
    const part = this.#part("history");
    part.open = !part.open;
    if (part.open) part.querySelector("summary").focus();
  }

  #showHistory() {
    const index = this.#part("history").open ? this.#current?.index : undefined;
    if (this.#history === index) return;
    this.#history = index;
    const list = this.#part("history-list");
    list.replaceChildren();
    if (index === undefined) return;
    mountHistory(list, {
      area: this.page.area,
      index,
      person: String(this.page.person.id),
      canRestore: true,
      mayRestore: () => (this.saving.has(index) ? "Save or revert what you wrote first, then restore." : ""),
      onRestored: () => this.#refresh(index),
    });
  }

  // --- Going on ---

  async #next(words = "") {
    try {
      await this.feed.next();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
    }
    this.#show();
    if (words) this.#say(words);
  }

  #back() {
    this.feed.previous();
    this.#show();
  }

  async #goTo(index) {
    try {
      await this.feed.goTo(index);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#say(`tile_${index} does not load. ${failure.message}`, true);
    }
    this.#show();
  }

  async #toTrouble() {
    const [index] = this.saving.troubled;
    if (index === undefined) return;
    await this.#goTo(index);
    this.#part("merge").querySelector(".merge")?.focus();
  }

  #taken(claims) {
    const here = claims.find(({ index }) => index === this.#current?.index);
    this.feed.drop(new Set(claims.map(({ index }) => index)));
    if (here) this.#say(`${here.by} has this caption before them, too.`, true);
  }

  // --- Showing ---

  #fed({ index }) {
    if (index !== undefined && index === this.#current?.index) this.#show();
    else this.#want();
  }

  #show() {
    const item = this.#current;
    this.#rival = -1;
    this.stage.hidden = !item;
    this.stage.dataset.tile = item?.index ?? "";
    this.#part("words").hidden = !item;
    this.#part("finished").hidden = Boolean(item) || !this.feed.atEnd;
    this.#part("name").textContent = item?.name ?? "captions";
    if (item) this.#open(item);
    else this.#ended();
    this.viewing.show(item, null);
    this.#want();
    this.#head();
    this.#showHistory();
    this.#say("");
  }

  #open({ index, caption }) {
    this.#work = this.saving.workOf(index, caption);
    this.#diff = caption.diff;
    this.words.show(this.#work.text, caption.findings);
    this.parts.show(this.#work.components);
    this.prompt.show(caption);
    this.#ghost();
    if (this.saving.has(index)) this.prompt.later();
    this.#status();
    this.#merge();
  }

  async #ended() {
    this.#work = null;
    const others = await this.claims.words();
    if (!this.#current) this.#part("finished-text").textContent = others.replaceAll("tile", "caption") || "Nothing more waits for you here.";
  }

  #want() {
    this.viewing.layers.want(this.feed.around(AHEAD, BEHIND));
    this.#markReady();
  }

  #markReady() {
    const { current, following } = this.feed;
    this.stage.dataset.ready = String(Boolean(current && this.viewing.layers.has(current)));
    this.stage.dataset.ahead = following && this.viewing.layers.has(following) ? following.index : "";
  }

  #head() {
    const item = this.#current;
    const caption = item?.caption;
    this.#part("state").textContent = caption ? stateWords(caption) : "";
    this.#part("flag").hidden = !caption?.flagged;
    this.root.querySelector("[data-action=flag]").setAttribute("aria-pressed", String(Boolean(caption?.flagged)));
    this.#part("measures").textContent = item ? measures(item) : "";
    this.#part("left").textContent = `${number(this.left)}${this.feed.capped ? "+" : ""}`;
  }

  /** What is to be said about the text on the screen. */
  #status() {
    const { index, caption } = this.#current;
    const state = this.saving.state(index);
    const drafted = this.saving.has(index);
    let said = drafted ? "A draft, not saved." : "";
    if (this.saving.isOver(index, caption)) said += " The caption was changed since you began: saving will show both texts.";
    if (state?.kind === "sending") said = "Saving …";
    else if (state?.message) said = `Not saved. ${state.message}`;
    this.#part("says").textContent = said;
    this.root.dataset.draft = String(drafted);
  }

  #merge() {
    const { index } = this.#current;
    const conflict = this.saving.state(index)?.conflict ?? null;
    const part = this.#part("merge");
    if (conflict === this.#conflict && part.childElementCount === (conflict ? 1 : 0)) return;
    this.#conflict = conflict;
    const view =
      conflict &&
      mergeView({
        conflict,
        onKeepMine: () => this.saving.submit(index),
        onTakeTheirs: () => this.#takeTheirs(index),
        onEdit: () => this.words.focus(),
      });
    part.replaceChildren(...(view ? [view] : []));
  }

  async #takeTheirs(index) {
    this.saving.drop(index);
    await this.#refresh(index);
    this.#say("Theirs stands.");
  }

  /** What is not on the server yet, and what could not be saved. */
  #tellUnsent() {
    const unsent = this.saving.unsent + this.readings.waiting;
    const { failure } = this.readings;
    this.root.dataset.unsent = unsent;
    this.#part("unsent").textContent = failure && unsent ? `${unsent} not sent yet. ${failure.message} It is kept here and tried again.` : "";
    document.getElementById("signed-out").hidden = !(this.saving.signedOut || failure?.signedOut);
    const others = this.saving.troubled.filter((index) => index !== this.#current?.index);
    this.#part("trouble").hidden = !others.length;
    if (others.length) this.#say(`The text of tile_${others[0]} could not be saved.`, true);
  }

  #say(text, urgent = false) {
    this.#part("live").textContent = text;
    this.#part("notice").textContent = urgent ? text : "";
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }
}

/** The layers of this page are remembered apart from those of the review: here the picture is to be large. */
function ownLayers(preferences) {
  return {
    get: () => preferences.get("rectify").viewer ?? { layers: ["png"] },
    set: (_name, viewer) => preferences.set("rectify", { ...preferences.get("rectify"), viewer }),
  };
}

function stateWords({ state, own, read_by: reader }) {
  if (state !== "read") return STATES[state];
  return own ? "read by you" : `read by ${reader ?? "you"}`;
}

function measures({ landform, dem_min: low, dem_max: high, slope, caption }) {
  const parts = [
    landform,
    low !== null && high !== null && `${number(Math.round(low))} to ${number(Math.round(high))} m`,
    slope !== null && `slope ${slope.toFixed(1)}°`,
    `doubt ${Math.round(100 * caption.doubt)} %`,
    `by ${caption.origin === "person" ? caption.author : caption.origin}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

const data = document.getElementById("rectify-page");
if (data) new Rectify(document.getElementById("rectify"), JSON.parse(data.textContent)).start();
