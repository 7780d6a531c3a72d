// The review page: one pair at a time, decided by single keys. On the way of a key lie only the browser's own storage
// and a drawing from pictures decoded before; everything that asks the server goes on beside it.

import { Actions } from "../lib/actions.js";
import { Failure, request } from "../lib/http.js";
import { Keymap } from "../lib/keymap.js";
import { Keys } from "../lib/keys.js";
import { KeysDialog } from "../lib/keysdialog.js";
import { Outbox } from "../lib/outbox.js";
import { Preferences } from "../lib/preferences.js";
import { Viewing } from "../viewer/viewing.js";
import { Address } from "./address.js";
import { Captions } from "./captions.js";
import { Claims } from "./claims.js";
import { JumpDialog, ReasonDialog } from "./dialogs.js";
import { Feed } from "./feed.js";
import { Marks } from "./marks.js";
import { waitsFor } from "./policy.js";
import { Screen, dayWords } from "./screen.js";
import { listenToSwipes } from "./swipes.js";
import { TakingBack } from "./takeback.js";
import { Trouble } from "./trouble.js";
import { Verdicts, entryOfAnswer } from "./verdicts.js";
import { VERB_WORDS, plural, stateWords } from "./words.js";

const AHEAD = 10;
const BEHIND = 4;
const CAPTIONS_AHEAD = 30;
const HELD = 60;
const LAST = 10;
const RETRY = 3_000;
const PHONE = "(max-width: 760px)";

class Review {
  #ready = false;
  #stalled = 0;
  #returned = null;
  #hearing = Promise.resolve();

  constructor(page, outbox) {
    const find = (selector) => document.querySelector(selector);
    this.page = page;
    this.outbox = outbox;
    this.root = find("#review");
    this.stage = find("#stage");
    this.keys = new Keys();
    this.claims = page.can.decide ? new Claims(page) : null;
    this.feed = new Feed(page.urls.tiles, page.filter, page.first, this.claims);
    this.preferences = new Preferences({ values: page.preferences, url: page.urls.preferences, person: page.person.id });
    this.viewing = new Viewing(this.stage, { root: this.root, page, keys: this.keys, preferences: this.preferences });
    this.keymap = new Keymap(this.root, { page: "review", preferences: this.preferences });
    this.screen = new Screen(this.root, page);
    this.verdicts = new Verdicts({ outbox, page, find: (index) => this.feed.find(index) });
    this.address = new Address();
    this.captions = new Captions(find("#caption"), page);
    this.reasons = new ReasonDialog(find("#reasons"), this.keys, page.reasons);
    this.jumping = new JumpDialog(find("#jump"), this.keys);
    this.marks = new Marks({
      keys: this.keys,
      page,
      say: (text, how) => this.screen.say(text, how),
      refresh: (index) => this.feed.refresh(index),
    });
    this.help = new KeysDialog(find("#keys"), this.keys, this.keymap);
    this.back = new TakingBack(find("#undo"), this.keys, new Actions({ person: page.person.id, urls: { undo: page.urls.undo, jobs: page.urls.jobs } }));
    this.trouble = new Trouble(find("#trouble"), {
      link: find("[data-part=needs]"),
      outbox,
      page,
      behind: (record) => this.verdicts.behind(record),
      actions: {
        overwrite: (record) => this.verdicts.overwrite(record),
        drop: (record) => this.verdicts.drop(record),
        retry: (record) => this.verdicts.retry(record),
        look: (record) => this.#look(record),
      },
    });
    this.#listen();
  }

  /** Show the first tile; then what can wait. */
  async start() {
    this.root.querySelector(".review-more").open = !matchMedia(PHONE).matches;
    this.#renderDecisions();
    await this.#begin(this.page.start);
    this.root.dataset.started = "true";
    this.claims?.start({ held: () => this.#held(), lost: (claims) => this.#lost(claims) });
    if (this.feed.current) await this.captions.prepare().catch((error) => reportError(error));
  }

  /** At the tile that the address names; when that is a reload, and it was decided since, at the one after it. */
  async #begin(start) {
    const resumed = start === null || Address.resumes;
    const item = this.feed.current;
    if (!resumed && item?.index !== start) await this.#goTo(start);
    else if (resumed && item && !this.#wanted(item)) await this.#advance();
    else this.#show();
  }

  // --- What keys and buttons do ---

  #actions() {
    return {
      approve: () => this.#decide("approve"),
      reject: () => this.#reject(),
      unsure: () => this.#decide("unsure"),
      undo: () => this.#undo(),
      next: () => this.#step("next"),
      previous: () => this.#step("previous"),
      "back-100": () => this.#leap(-100),
      "back-10": () => this.#leap(-10),
      "on-10": () => this.#leap(10),
      "on-100": () => this.#leap(100),
      return: () => this.#return(),
      list: () => this.screen.enterLast() || this.screen.say("You have decided nothing here yet.", { urgent: true }),
      jump: () => this.jumping.open(this.feed.current?.index, (index) => this.#goTo(index)),
      ...this.viewing.actions,
      caption: () => this.#caption(),
      terrain: () => this.#terrain(),
      flag: () => this.marks.toggleFlag(),
      note: () => this.marks.writeNote(),
      tags: () => this.marks.editTags(),
      help: () => this.help.open(),
    };
  }

  #listen() {
    const actions = this.#actions();
    for (const button of this.root.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => this.keys.run(actions[button.dataset.action]));
    }
    this.keys.follow(this.keymap, actions);
    this.feed.addEventListener("change", () => this.#prefetch());
    this.viewing.addEventListener("ready", () => this.#pictureReady());
    this.viewing.addEventListener("rows", () => this.#draw(this.feed.current));
    this.viewing.addEventListener("say", ({ detail }) => this.screen.say(detail));
    this.viewing.addEventListener("changed", ({ detail }) => this.#refresh(detail.index));
    this.verdicts.addEventListener("change", () => this.#renderDecisions());
    this.verdicts.addEventListener("moved", ({ detail }) => this.#moved(detail));
    this.outbox.addEventListener("refused", ({ detail }) => this.#refused(detail.record));
    this.root.querySelector("#filter").addEventListener("change", () => this.#filter());
    this.root.querySelector("#filter").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#hear());
    addEventListener("online", () => this.#stalled && this.keys.run(() => this.#advance()));
    const swiped = (direction) => this.keys.run(() => this.#step(direction));
    listenToSwipes(this.stage, swiped, () => !this.viewing.swipes);
  }

  async #decide(verb, extra = {}) {
    const item = this.feed.current;
    if (!this.page.can.decide || !item || this.#stalled) return;
    if (!this.#ready) {
      this.screen.say("Wait: the pictures of this tile are not here yet.", { urgent: true });
      return;
    }
    try {
      await this.verdicts.decide(item, verb, extra);
    } catch (error) {
      this.screen.say(`Not recorded: this browser's storage failed (${error.message}). Decide again.`, { urgent: true });
      return;
    }
    await this.#advance();
    const why = extra.reason ? ` for ${this.#label(extra.reason)}` : "";
    this.screen.say(`${item.name} ${VERB_WORDS[verb]}${why}. ${this.#whereWords()}`);
  }

  #reject() {
    const item = this.feed.current;
    if (!this.page.can.decide || !item || this.#stalled) return;
    this.reasons.open(({ reason, note }) => this.#decide("reject", { reason, note }));
  }

  async #undo() {
    if (!this.page.can.decide) return;
    await this.#hearing;
    const entry = this.verdicts.newest();
    if (entry && !entry.many) await this.#undoOne(entry);
    else await this.#undoMany();
  }

  /** What was decided about many tiles, or so long ago that this page does not know of it, the server knows. */
  async #undoMany() {
    const newest = await this.back.newest(this.outbox, (text) => this.screen.say(text, { urgent: true }));
    if (newest?.newest && newest.count === 1) await this.#undoOne(entryOfAnswer(newest.newest));
    else if (newest) this.back.ask(newest, (text) => this.screen.say(text), (words) => this.#undone(newest, words));
  }

  /** Many tiles are not what they were: read them again, beginning where the action ended. */
  async #undone(newest, words) {
    await this.keys.run(async () => {
      await this.#hear();
      await this.#move(async () => {
        this.verdicts.counts = await this.feed.restart(this.feed.filter);
      }, "stay");
      if (newest.newest) await this.#goTo(newest.newest.index);
      this.screen.say(words);
    });
  }

  async #undoOne(entry) {
    try {
      await this.verdicts.undo(entry);
      await this.#goTo(entry.index);
      this.screen.say(`Undone: tile_${entry.index} is ${stateWords(entry.from, this.page.reasons)} again.`);
    } catch (error) {
      this.screen.say(`Not undone: this browser's storage failed (${error.message}).`, { urgent: true });
    }
  }

  /** On to the next tile that the filter still holds for. */
  async #advance() {
    await this.#move(() => this.feed.next((item) => this.#wanted(item)));
  }

  async #step(direction) {
    await this.#move(() => this.feed[direction]());
    this.screen.say(this.#whereWords());
  }

  async #leap(by) {
    const before = this.feed.current;
    await this.#move(() => this.feed.leap(by), "stay");
    const edge = this.feed.current === before ? `That is the ${by > 0 ? "last" : "first"} of the queue. ` : "";
    this.screen.say(`${edge}${this.#whereWords()}`);
  }

  /** To the tile that was decided last; from there to the one before, and so on. */
  async #return() {
    const decided = [...new Set(this.verdicts.last(Infinity).map(({ index }) => index))];
    const here = this.feed.current?.index;
    const index = decided[this.#returned === here || decided[0] === here ? decided.indexOf(here) + 1 : 0];
    if (index === undefined) {
      const text = decided.length ? "That is the first of your decisions here." : "You have decided nothing here yet.";
      this.screen.say(text, { urgent: true });
      return;
    }
    await this.#goTo(index);
    this.#returned = index;
    this.screen.say(this.#whereWords());
  }

  /** Read one's own log again: the gallery, or another computer, may have added to it. */
  #hear() {
    this.#hearing = request(`${this.page.urls.decisions}?mine=1`, { timeout: 5_000 })
      .then(({ items }) => this.verdicts.heard(items))
      .catch((failure) => {
        if (!(failure instanceof Failure)) throw failure;
      });
    return this.#hearing;
  }

  async #goTo(index) {
    await this.#move(() => this.feed.jump(index), "stay");
  }

  /** Run a step of the feed and show where it led. A step that needs the server in vain is tried again by itself. */
  async #move(step, onFailure = "stall") {
    this.#endStall();
    try {
      await step();
      this.#show();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (onFailure === "stall") this.#stall(failure);
      else this.screen.say(failure.message, { urgent: true });
      if (onFailure === "stay" && !this.#ready) this.#show();
    }
  }

  #caption() {
    if (!this.feed.current) return undefined;
    return this.captions.open().catch((error) => {
      this.screen.say(`The caption editor did not load (${error.message}).`, { urgent: true });
    });
  }

  /** Opens at once; what it shows comes when it comes, and keys rest until it is closed. */
  async #terrain() {
    const item = this.feed.current;
    if (!item) return;
    try {
      const { TerrainPanel } = await import("../terrain/panel.js");
      this.panel ??= new TerrainPanel(document.querySelector("#terrain-panel"), this.page.urls.three);
      const close = this.keys.open({});
      this.panel.dialog.addEventListener("close", () => close(), { once: true });
      this.panel.open(item, this.page.area.slug);
    } catch (error) {
      this.screen.say(`The terrain did not load (${error.message}).`, { urgent: true });
    }
  }

  async #filter() {
    const form = new FormData(this.root.querySelector("#filter"));
    const filter = { ...this.feed.filter, ...Object.fromEntries(form) };
    await this.keys.run(() => this.#restart(filter));
  }

  /** From the first tile of the filter that is not decided here already. */
  async #restart(filter) {
    await this.#move(async () => {
      await this.feed.restart(filter);
      if (this.feed.current && !this.#wanted(this.feed.current)) await this.feed.next((item) => this.#wanted(item));
    }, "stay");
  }

  #look(record) {
    if (record.area !== this.page.area.slug) {
      location.assign(`${this.page.urls.areas}${record.area}/review/?tile=${record.subject}&state=`);
      return;
    }
    this.keys.run(async () => {
      await this.#refresh(record.subject);
      await this.#goTo(record.subject);
    });
  }

  // --- What the page shows ---

  #show() {
    const item = this.feed.current;
    this.#ready = false;
    this.screen.unfinished();
    this.stage.hidden = !item;
    this.stage.dataset.tile = item?.index ?? "";
    this.screen.tile(item, item && this.verdicts.shown(item));
    this.marks.show(item);
    this.#draw(item);
    if (!item) this.#end();
    this.#prefetch();
    this.captions.show(item, this.feed.around(CAPTIONS_AHEAD, BEHIND));
    this.address.show(this.feed.filter, item, Boolean(item && this.#wanted(item)));
  }

  #draw(item) {
    this.viewing.show(item, this.feed.peek((other) => this.#wanted(other)));
    this.#markReady();
  }

  #markReady() {
    const item = this.feed.current;
    this.#ready = Boolean(item && this.viewing.layers.has(item));
    this.stage.dataset.ready = String(this.#ready);
  }

  #prefetch() {
    const around = this.feed.around(AHEAD, BEHIND);
    this.viewing.layers.want(around);
    this.#countAhead();
  }

  /** How many of the next tiles are ready to be drawn. */
  #countAhead() {
    const around = this.feed.around(AHEAD, BEHIND);
    const ahead = around.slice(1, 1 + AHEAD).filter((item) => item.index > (this.feed.current?.index ?? 0));
    const missing = ahead.findIndex((item) => !this.viewing.layers.has(item));
    this.stage.dataset.ahead = String(missing < 0 ? ahead.length : missing);
  }

  #pictureReady() {
    this.#markReady();
    this.#countAhead();
  }

  #renderDecisions() {
    const item = this.feed.current;
    this.screen.state(item && this.verdicts.shown(item));
    this.screen.counts(this.verdicts.counts);
    this.screen.last(this.verdicts.last(LAST), (index) => this.keys.run(() => this.#goTo(index)));
    this.screen.unsent(this.outbox);
    this.trouble.render();
  }

  /** Past the last tile: done, nothing matches, or some were passed over. */
  async #end() {
    const { filter } = this.feed;
    const { pending, second, disputed } = this.verdicts.counts;
    const queue = filter.state === "queue";
    const left = queue ? pending + second + disputed : pending;
    const whole = (queue || filter.state === "pending") && !filter.reason && !filter.mine;
    const restart = () => this.keys.run(() => this.#restart(filter));
    const actions = [[whole && left > 0 ? "Go to the first" : "Look for more", restart]];
    if (this.feed.items.length) actions.push(["Go back", () => this.keys.run(() => this.#step("previous"))]);
    if (whole && left > 0) {
      const before = `${plural(left, "tile")} before this one ${left === 1 ? "is" : "are"} still pending.`;
      const waiting = `${plural(left, "tile")} ${left === 1 ? "waits" : "wait"} for a look, also of other people.`;
      const title = "This is the end of the queue";
      const text = queue ? waiting : before;
      this.screen.finished({ title, text, actions });
      const others = await this.claims?.words();
      if (others && !this.feed.current) this.screen.finished({ title, text: `${text} ${others}`, actions });
      return;
    }
    if (!whole) {
      const title = this.feed.items.length ? "This is the last tile of the filter" : "No tile matches the filter";
      const text = filter.mine ? "Your range is done, or others have the rest of it before them. Turn Range off for the other tiles." : "Choose another state or reason above.";
      this.screen.finished({ title, text, actions });
      return;
    }
    const title = "Every tile of this area has been looked at";
    this.screen.finished({ title, text: "", actions });
    await this.outbox.settled();
    const numbers = await request(`${this.page.urls.decisions}?mine=1`).catch(() => null);
    const words = numbers ? dayWords(numbers.today.verbs) : "";
    if (!this.feed.current) this.screen.finished({ title, text: words, actions });
    this.screen.say(`${title}. ${words}`);
  }

  #stall(failure) {
    this.stage.hidden = true;
    this.stage.dataset.tile = "";
    const again = () => this.keys.run(() => this.#advance());
    const back = () => this.keys.run(() => this.#move(async () => this.feed.current));
    const title = "The next tiles are not here yet";
    const text = `${failure.message} It is tried again by itself. What you decided is kept.`;
    this.screen.finished({ title, text, actions: [["Try again", again], ["Go back", back]] });
    this.#stalled = setTimeout(again, RETRY);
  }

  #endStall() {
    clearTimeout(this.#stalled);
    this.#stalled = 0;
  }

  #moved(index) {
    this.screen.say(`tile_${index} was changed, or taken up, by somebody else meanwhile. See what needs you.`, { urgent: true });
    this.#refresh(index);
  }

  /** The numbers that this page keeps from others: what is on the screen and what comes, as long as it is undecided. */
  #held() {
    const ahead = this.feed.around(HELD, 0);
    return ahead.filter((item) => this.#wanted(item) && !item.claim).map((item) => item.index);
  }

  /** Others got tiles that this page had: their claims ran out here. */
  #lost(claims) {
    for (const { index, by, until } of claims) {
      const item = this.feed.find(index);
      if (item) item.claim = { by, until };
    }
    this.feed.drop(new Set(claims.map(({ index }) => index)));
    const item = this.feed.current;
    if (item) this.screen.tile(item, this.verdicts.shown(item));
  }

  #refused(record) {
    this.screen.say(`tile_${record.subject}: not recorded. ${record.problem.message}`, { urgent: true });
  }

  /** Read a tile again whose pixels or state are news. */
  async #refresh(index) {
    try {
      await this.feed.refresh(index);
    } catch {
      return;
    }
    if (this.feed.current?.index === index) this.#show();
  }

  #wanted(item) {
    const { state, reason } = this.feed.filter;
    const shown = this.verdicts.shown(item);
    if (state === "queue") return waitsFor(shown);
    return (!state || shown.state === state) && (!reason || shown.reason === reason);
  }

  #label(reason) {
    return this.page.reasons.find((each) => each.code === reason)?.label.toLowerCase() ?? reason;
  }

  #whereWords() {
    const item = this.feed.current;
    return item ? `${item.name}, ${stateWords(this.verdicts.shown(item), this.page.reasons)}.` : "";
  }
}

const data = document.getElementById("review-page");
if (data) {
  const page = JSON.parse(data.textContent);
  const outbox = await Outbox.open(page.person.id);
  await new Review(page, outbox).start();
}
