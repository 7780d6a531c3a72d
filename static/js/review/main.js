// The review page: one pair at a time, decided by single keys. A key draws the next pair from pictures that were decoded
// before, in the task that it began; storing and everything that asks the server go on beside it.

import { Actions } from "../lib/actions.js";
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
import { Ending } from "./ending.js";
import { Feed } from "./feed.js";
import { Journey } from "./journey.js";
import { Marks } from "./marks.js";
import { Screen } from "./screen.js";
import { listenToSwipes } from "./swipes.js";
import { TakingBack } from "./takeback.js";
import { Trouble } from "./trouble.js";
import { Undoing } from "./undoing.js";
import { Verdicts } from "./verdicts.js";
import { VERB_WORDS } from "./words.js";

const AHEAD = 10;
const BEHIND = 4;
const CAPTIONS_AHEAD = 30;
const HELD = 60;
const MOST_HELD = 500; // the server takes no more of one page
const LAST = 10;
const PHONE = "(max-width: 760px)";

class Review {
  #ready = false;

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
    this.help = new KeysDialog(find("#keys"), this.keys, this.keymap);
    this.say = (text, how) => this.screen.say(text, how);
    this.#compose(find);
    this.#listen();
  }

  /** The parts that stand on others. */
  #compose(find) {
    const { page, feed, keys, verdicts, screen, outbox, claims, say } = this;
    const show = () => this.#show();
    this.journey = new Journey({ page, feed, verdicts, screen, keys, claims, show, unready: () => !this.#ready });
    const { journey } = this;
    const back = new TakingBack(find("#undo"), keys, new Actions({ person: page.person.id, urls: { undo: page.urls.undo, jobs: page.urls.jobs } }));
    this.undoing = new Undoing({ page, verdicts, journey, feed, outbox, back, keys, say });
    this.ending = new Ending({
      ...{ page, feed, verdicts, outbox, screen, claims },
      again: () => keys.run(() => journey.restart(feed.filter)),
      back: () => keys.run(() => journey.step("previous")),
    });
    this.marks = new Marks({ keys, page, say, refresh: (index) => feed.refresh(index) });
    this.trouble = new Trouble(find("#trouble"), {
      link: find("[data-part=needs]"),
      outbox,
      page,
      behind: (record) => verdicts.behind(record),
      actions: {
        overwrite: (record) => verdicts.overwrite(record),
        drop: (record) => verdicts.drop(record),
        retry: (record) => verdicts.retry(record),
        look: (record) => this.#look(record),
      },
    });
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
    if (!resumed && item?.index !== start) await this.journey.goTo(start);
    else if (resumed && item && !this.journey.wanted(item)) await this.journey.advance();
    else this.#show();
  }

  // --- What keys and buttons do ---

  #actions() {
    const { journey } = this;
    return {
      approve: () => this.#decide("approve"),
      reject: () => this.#reject(),
      unsure: () => this.#decide("unsure"),
      undo: () => this.page.can.decide && this.undoing.undo(),
      next: () => journey.step("next"),
      previous: () => journey.step("previous"),
      "back-100": () => journey.leap(-100),
      "back-10": () => journey.leap(-10),
      "on-10": () => journey.leap(10),
      "on-100": () => journey.leap(100),
      return: () => journey.back(),
      list: () => this.screen.enterLast() || this.say("You have decided nothing here yet.", { urgent: true }),
      jump: () => this.jumping.open(this.feed.current?.index, (index) => journey.goTo(index)),
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
    this.viewing.addEventListener("say", ({ detail }) => this.say(detail));
    this.viewing.addEventListener("changed", ({ detail }) => this.#refresh(detail.index));
    this.verdicts.addEventListener("change", () => this.#renderDecisions());
    this.verdicts.addEventListener("moved", ({ detail }) => this.#moved(detail));
    this.outbox.addEventListener("refused", ({ detail }) => this.#refused(detail.record));
    this.root.querySelector("#filter").addEventListener("change", () => this.#filter());
    this.root.querySelector("#filter").addEventListener("submit", (event) => event.preventDefault());
    const swiped = (direction) => this.keys.run(() => this.journey.step(direction));
    listenToSwipes(this.stage, swiped, () => !this.viewing.swipes);
  }

  /** Whether there is a tile to decide about. */
  get #decides() {
    return this.page.can.decide && this.feed.current && !this.journey.stalled;
  }

  async #decide(verb, extra = {}) {
    if (!this.#decides) return;
    if (!this.#ready) {
      this.say("Wait: the pictures of this tile are not here yet.", { urgent: true });
      return;
    }
    const item = this.feed.current;
    this.verdicts.decide(item, verb, extra);
    await this.journey.advance();
    const why = extra.reason ? ` for ${this.#label(extra.reason)}` : "";
    this.say(`${item.name} ${VERB_WORDS[verb]}${why}. ${this.journey.words}`);
  }

  #reject() {
    if (!this.#decides) return;
    this.reasons.open(({ reason, note }) => this.#decide("reject", { reason, note }));
  }

  #caption() {
    if (!this.feed.current) return undefined;
    return this.captions.open().catch((error) => {
      this.say(`The caption editor did not load (${error.message}).`, { urgent: true });
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
      this.say(`The terrain did not load (${error.message}).`, { urgent: true });
    }
  }

  async #filter() {
    const form = new FormData(this.root.querySelector("#filter"));
    const filter = { ...this.feed.filter, ...Object.fromEntries(form) };
    await this.keys.run(() => this.journey.restart(filter));
  }

  #look(record) {
    if (record.area !== this.page.area.slug) {
      location.assign(`${this.page.urls.areas}${record.area}/review/?tile=${record.subject}&state=`);
      return;
    }
    this.keys.run(async () => {
      await this.#refresh(record.subject);
      await this.journey.goTo(record.subject);
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
    if (!item) this.ending.show();
    this.#prefetch();
    this.captions.show(item, this.feed.around(CAPTIONS_AHEAD, BEHIND));
    this.address.show(this.feed.filter, item, Boolean(item && this.journey.wanted(item)));
  }

  #draw(item) {
    this.viewing.show(item, this.feed.peek(this.journey.wanted));
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
    this.screen.last(this.verdicts.last(LAST), (index) => this.keys.run(() => this.journey.goTo(index)));
    this.screen.unsent(this.outbox);
    this.trouble.render();
  }

  #moved(index) {
    this.say(`tile_${index} was changed, or taken up, by somebody else meanwhile. See what needs you.`, { urgent: true });
    this.#refresh(index);
  }

  /**
   * The numbers that this page keeps from others: what it decided and the server has not heard of yet, what is on the
   * screen, and what comes, as long as it is undecided.
   */
  #held() {
    const looks = this.journey.works ? this.feed.around(HELD, 0) : [];
    const ahead = looks.filter((item) => this.journey.wanted(item) && !item.claim);
    const unsent = this.verdicts.unsent.map((record) => record.subject);
    return [...new Set([...unsent, ...ahead.map((item) => item.index)])].slice(0, MOST_HELD);
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
    this.say(`tile_${record.subject}: not recorded. ${record.problem.message}`, { urgent: true });
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

  #label(reason) {
    return this.page.reasons.find((each) => each.code === reason)?.label.toLowerCase() ?? reason;
  }
}

const data = document.getElementById("review-page");
if (data) {
  const page = JSON.parse(data.textContent);
  const outbox = await Outbox.open(page.person.id);
  await new Review(page, outbox).start();
}
