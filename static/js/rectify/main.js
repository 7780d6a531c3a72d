// The page on which captions are rectified, by keys alone. What a key shows is here before it is pressed; what it says is
// sent in the background.

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
import { Drawer } from "./drawer.js";
import { Feed } from "./feed.js";
import { Findings } from "./findings.js";
import { Parts, componentsOf } from "./parts.js";
import { draftWords, measures, ownLayers, stateWords } from "./present.js";
import { Prompt } from "./prompt.js";
import { Readings } from "./readings.js";
import { Rivals } from "./rivals.js";
import { Saving } from "./saving.js";
import { Words } from "./words.js";

const AHEAD = 6;
const BEHIND = 2;
const UNDONE = { accept: "is not accepted any more", flag: "has no flag any more", unflag: "is flagged again" };

class Rectify {
  #work = null;
  #done = [];
  #conflict = null;

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
    this.rivals = new Rivals(this.words, this.#part("rivals"));
    this.findings = new Findings({ remote: this.remote, say });
    this.drawer = new Drawer(this.#part("history"), {
      area,
      person: String(person.id),
      canRestore: true,
      wanted: () => this.#current?.index,
      mayRestore: () => (this.saving.has(this.#current.index) ? "Save or revert what you wrote first, then restore." : ""),
      onRestored: ({ index }) => this.#refresh(index),
    });
    this.parts = new Parts(root, { onChange: (components) => this.#changeParts(components), say });
    this.prompt = new Prompt(root, {
      work: () => this.#current && { index: this.#current.index, ...this.#work },
      ask: this.remote.preview,
      onPreview: (_index, preview) => this.rivals.differs(preview.diff),
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
      rival: () => this.#say(this.rivals.next()),
      take: () => this.#take(),
      undo: () => this.#undo(),
      "next-finding": () => this.words.nextFinding() && this.#say(this.words.marked.message),
      dismiss: () => this.#dismiss(),
      term: () => this.parts.term.focus(),
      category: () => this.parts.category.focus(),
      weather: () => this.parts.weather.focus(),
      "by-hand": () => this.prompt.byHand(),
      history: () => this.drawer.toggle(),
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
    const id = this.readings.add(item.index, "accept", { base_version: caption.version });
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
    const id = this.readings.add(item.index, verb, { base_version: caption.version });
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
    this.readings.add(last.index, "undo", { undoes: last.id });
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

  /** Chips know nothing of the prompt by hand. */
  #changeParts(components) {
    this.#change({ components: componentsOf({ ...components, prompt: this.#work.components.prompt }) });
  }

  #byHand(prompt) {
    this.#change({ components: componentsOf({ ...this.#work.components, prompt }) });
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

  // --- Rivals and findings ---

  /** The words below become a draft above. */
  #take() {
    const { shown } = this.rivals;
    if (!this.#current || !shown) return;
    const components = componentsOf({ ...this.#work.components, ...shown.components });
    this.words.write(shown.text);
    this.parts.show(components);
    this.#change({ text: shown.text, components });
    this.#say(`The words of ${shown.by} are a draft now: Ctrl+Enter saves them, r drops them.`);
  }

  async #dismiss() {
    const item = this.#current;
    const finding = this.words.marked;
    if (!item || !finding || !(await this.findings.dismiss(item, finding))) return;
    this.#done.push({ verb: "dismiss", index: item.index, finding });
    this.words.show(this.#work.text, item.caption.findings);
    this.#say(`Dismissed: ${finding.message}`);
  }

  async #undismiss({ index, finding }) {
    if (!(await this.findings.restore(index, finding))) return;
    await this.#refresh(index);
    this.#say(`Undone: it counts again. ${finding.message}`);
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
    this.drawer.follow();
    this.#say("");
  }

  #open({ index, caption }) {
    this.#work = this.saving.workOf(index, caption);
    this.words.show(this.#work.text, caption.findings);
    this.parts.show(this.#work.components);
    this.prompt.show(caption);
    this.rivals.show(caption);
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
    const drafted = this.saving.has(index);
    const over = this.saving.isOver(index, caption);
    this.#part("says").textContent = draftWords({ drafted, over, state: this.saving.state(index) });
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

const data = document.getElementById("rectify-page");
if (data) new Rectify(document.getElementById("rectify"), JSON.parse(data.textContent)).start();
