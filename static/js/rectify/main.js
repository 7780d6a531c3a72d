// The page on which captions are rectified, by keys alone. What a key shows is here before it is pressed; what it says is
// sent in the background. This is the desk: it holds the parts, goes from one caption to the next, and binds the keys.

import { connect } from "../captions/remote.js";
import { Failure } from "../lib/http.js";
import { Keymap } from "../lib/keymap.js";
import { Keys } from "../lib/keys.js";
import { KeysDialog } from "../lib/keysdialog.js";
import { Preferences } from "../lib/preferences.js";
import { Claims } from "../review/claims.js";
import { Viewing } from "../viewer/viewing.js";
import { Drawer } from "./drawer.js";
import { Feed } from "./feed.js";
import { Parts } from "./parts.js";
import { ownLayers } from "./present.js";
import { Prompt } from "./prompt.js";
import { Reading } from "./reading.js";
import { Readings } from "./readings.js";
import { Rivals } from "./rivals.js";
import { Saving } from "./saving.js";
import { Screen } from "./screen.js";
import { Words } from "./words.js";
import { Writing } from "./writing.js";

const AHEAD = 6;
const BEHIND = 2;
const MOST_HELD = 500; // the server takes no more of one page

class Rectify {
  constructor(root, page) {
    this.root = root;
    const { area, person } = page;
    this.screen = new Screen(root);
    this.keys = new Keys();
    this.preferences = new Preferences({ values: page.preferences, url: page.urls.preferences, person: person.id });
    this.remote = connect({ area, person: String(person.id) });
    this.claims = new Claims(page);
    this.feed = new Feed({ first: page.first, filter: page.filter, url: page.urls.queue, claims: this.claims });
    this.viewing = new Viewing(this.screen.stage, { root, page, keys: this.keys, preferences: ownLayers(this.preferences) });
    this.saving = new Saving({ area, person: String(person.id), remote: this.remote });
    this.readings = new Readings({ area, person: person.id, remote: this.remote });
    this.reading = new Reading(this, page.first.left);
    this.writing = new Writing(this);
    this.#mountWords(area, person);
  }

  /** The parts that show words and are written in. */
  #mountWords(area, person) {
    const { root, writing } = this;
    const say = (text, urgent) => this.say(text, urgent);
    this.words = new Words(root, { onTyped: (text) => writing.change({ text }) });
    this.rivals = new Rivals(this.words, this.screen.part("rivals"));
    this.drawer = new Drawer(this.screen.part("history"), {
      area,
      person: String(person.id),
      canRestore: true,
      wanted: () => this.current?.index,
      mayRestore: () => (this.saving.has(this.current.index) ? "Save or revert what you wrote first, then restore." : ""),
      onRestored: ({ index }) => this.refresh(index),
    });
    this.parts = new Parts(root, { onChange: (components) => writing.changeParts(components), say });
    this.prompt = new Prompt(root, {
      work: () => this.current && { index: this.current.index, ...writing.work },
      ask: this.remote.preview,
      onPreview: (_index, preview) => this.rivals.differs(preview.diff),
      onByHand: (prompt) => writing.byHand(prompt),
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
    this.screen.part("save").addEventListener("click", () => this.keys.run(() => this.writing.save()));
    document.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
    this.#listen();
    this.saving.outbox.resume();
    this.show();
    this.#tellUnsent();
    this.root.dataset.started = "true";
  }

  get #actions() {
    const { reading, writing } = this;
    return {
      accept: () => reading.accept(),
      flag: () => reading.flag(),
      undo: () => reading.undo(),
      dismiss: () => reading.dismiss(),
      edit: () => this.current && this.words.focus(),
      revert: () => writing.revert(),
      take: () => writing.take(),
      trouble: () => writing.toTrouble(),
      skip: () => this.next(),
      previous: () => this.#back(),
      rival: () => this.say(this.rivals.next()),
      "next-finding": () => this.words.nextFinding() && this.say(this.words.marked.message),
      term: () => this.parts.term.focus(),
      category: () => this.parts.category.focus(),
      weather: () => this.parts.weather.focus(),
      "by-hand": () => this.prompt.byHand(),
      compose: () => this.prompt.composeAgain(),
      history: () => this.drawer.toggle(),
    };
  }

  #listen() {
    this.viewing.addEventListener("ready", () => this.#markReady());
    this.viewing.addEventListener("say", ({ detail }) => this.say(detail));
    this.feed.addEventListener("change", ({ detail }) => this.#fed(detail));
    this.feed.addEventListener("failure", ({ detail }) => this.say(`The next captions are not here yet. ${detail.message}`, true));
    this.saving.addEventListener("change", ({ detail }) => this.#written(detail.index));
    this.saving.addEventListener("saved", ({ detail }) => this.#saved(detail));
    this.readings.addEventListener("change", () => this.#tellUnsent());
    this.readings.addEventListener("said", ({ detail }) => this.reading.said(detail));
    this.readings.addEventListener("lost", ({ detail }) => this.reading.lost(detail));
    this.claims.start({ held: () => this.#held, lost: (claims) => this.#taken(claims) });
    addEventListener("beforeunload", (event) => this.saving.unsent.length && event.preventDefault());
  }

  /** The caption on the screen; null past the end. */
  get current() {
    return this.feed.current;
  }

  say(text, urgent) {
    this.screen.say(text, urgent);
  }

  #pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) this.keys.run(() => this.writing.save());
  }

  // --- Going on ---

  async next(words = "") {
    try {
      await this.feed.next();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
    }
    this.show();
    if (words) this.say(words);
  }

  #back() {
    this.feed.previous();
    this.show();
  }

  async goTo(index) {
    try {
      await this.feed.goTo(index);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.show();
      this.say(`tile_${index} does not load. ${failure.message}`, true);
      return;
    }
    this.show();
  }

  /** Read one again; what is on the screen is shown anew. Without an answer the page goes on with what it has. */
  async refresh(index) {
    await this.feed.refresh(index).catch((failure) => {
      if (!(failure instanceof Failure)) throw failure;
    });
  }

  // --- What happened elsewhere ---

  async #saved(caption) {
    const item = this.feed.find(caption.index);
    if (item) Object.assign(item.caption, { version: caption.version, text: caption.text, draft: null });
    this.#tellUnsent();
    if (item) await this.refresh(caption.index);
  }

  #written(index) {
    if (index === this.current?.index) this.writing.follow();
    this.#tellUnsent();
  }

  /** What this page keeps from others: what the server has not heard of yet, what is on the screen, and what comes. */
  get #held() {
    return [...new Set([...this.readings.unsent, ...this.saving.unsent, ...this.feed.held])].slice(0, MOST_HELD);
  }

  #taken(claims) {
    const here = claims.find(({ index }) => index === this.current?.index);
    this.feed.drop(new Set(claims.map(({ index }) => index)));
    if (here) this.say(`${here.by} has this caption before them, too.`, true);
  }

  #fed({ index }) {
    if (index !== undefined && index === this.current?.index) this.show();
    else this.#want();
  }

  // --- Showing ---

  show() {
    const item = this.current;
    this.screen.open(item, { atEnd: this.feed.atEnd });
    if (item) this.writing.open(item);
    else this.#ended();
    this.viewing.show(item, null);
    this.#want();
    this.head();
    this.drawer.follow();
    this.say("");
  }

  head() {
    this.screen.head(this.current, { left: this.reading.left, capped: this.feed.capped });
  }

  showFindings() {
    this.words.show(this.writing.work.text, this.current.caption.findings);
  }

  async #ended() {
    this.writing.work = null;
    const others = await this.claims.words();
    if (!this.current) this.screen.ended(others);
  }

  #want() {
    this.viewing.layers.want(this.feed.around(AHEAD, BEHIND));
    this.#markReady();
  }

  #markReady() {
    const { layers } = this.viewing;
    const [current, following] = [this.feed.current, this.feed.following].map((item) => (item && layers.has(item) ? item : null));
    this.screen.ready(current, following);
  }

  #tellUnsent() {
    const { failure } = this.readings;
    this.screen.unsent({
      number: this.saving.unsent.length + this.readings.waiting,
      failure,
      signedOut: this.saving.signedOut || failure?.signedOut,
      troubled: this.saving.troubled.find((index) => index !== this.current?.index),
    });
  }
}

const data = document.getElementById("rectify-page");
if (data) new Rectify(document.getElementById("rectify"), JSON.parse(data.textContent)).start();
