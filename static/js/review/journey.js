// From tile to tile: what comes next, what a jump leads to, and what stands there while the next ones are not here.

import { Failure } from "../lib/http.js";
import { WORK, waitsFor } from "./policy.js";
import { stateWords } from "./words.js";

const RETRY = 3_000;

export class Journey {
  #page;
  #feed;
  #verdicts;
  #screen;
  #keys;
  #claims;
  #show;
  #unready;
  #stalled = 0;
  #returned = null;

  /** Whether the filter still holds for a tile, with what was decided here taken in. */
  wanted = (item) => {
    const { state, reason } = this.#feed.filter;
    const shown = this.#verdicts.shown(item);
    if (state === "queue") return waitsFor(shown);
    return (!state || shown.state === state) && (!reason || shown.reason === reason);
  };

  /** claims: null for who only looks. show(): draw the tile that the feed is at; unready(): whether one is not whole. */
  constructor({ page, feed, verdicts, screen, keys, claims, show, unready }) {
    this.#page = page;
    this.#feed = feed;
    this.#verdicts = verdicts;
    this.#screen = screen;
    this.#keys = keys;
    this.#claims = claims;
    this.#show = show;
    this.#unready = unready;
    addEventListener("online", () => this.#stalled && keys.run(() => this.advance()));
  }

  /** Whether the next tiles are not here yet: there is nothing to decide about. */
  get stalled() {
    return this.#stalled !== 0;
  }

  /** Whether the filter shows what is to be decided, and not what is settled or everything. */
  get works() {
    return WORK.includes(this.#feed.filter.state);
  }

  /** Where one is, in words. */
  get words() {
    const item = this.#feed.current;
    return item ? `${item.name}, ${stateWords(this.#verdicts.shown(item), this.#page.reasons)}.` : "";
  }

  /** On to the next tile that the filter still holds for. */
  async advance() {
    await this.move(() => this.#feed.next(this.wanted));
  }

  /** One tile on (`next`) or back (`previous`), whatever the filter says of it now. */
  async step(direction) {
    await this.move(() => this.#feed[direction]());
    this.#screen.say(this.words);
  }

  async leap(by) {
    const before = this.#feed.current;
    await this.move(() => this.#feed.leap(by), "stay");
    const edge = this.#feed.current === before ? `That is the ${by > 0 ? "last" : "first"} of the queue. ` : "";
    this.#screen.say(`${edge}${this.words}`);
  }

  /** To the tile that was decided last; from there to the one before, and so on. */
  async back() {
    const decided = [...new Set(this.#verdicts.last(Infinity).map(({ index }) => index))];
    const here = this.#feed.current?.index;
    const index = decided[this.#returned === here || decided[0] === here ? decided.indexOf(here) + 1 : 0];
    if (index === undefined) {
      const text = decided.length ? "That is the first of your decisions here." : "You have decided nothing here yet.";
      this.#screen.say(text, { urgent: true });
      return;
    }
    await this.goTo(index);
    this.#returned = index;
    this.#screen.say(this.words);
  }

  /** To a number. The queue did not hand it out just now, so it is claimed, beside the work. */
  async goTo(index) {
    await this.move(() => this.#feed.jump(index), "stay");
    this.#claims?.keep();
  }

  /** From the first tile of a filter that is not decided here already; resolves with the counts of the area. */
  async restart(filter) {
    let counts;
    await this.move(async () => {
      counts = await this.#feed.restart(filter);
      if (this.#feed.current && !this.wanted(this.#feed.current)) await this.#feed.next(this.wanted);
    }, "stay");
    return counts;
  }

  /** Run a step of the feed and show where it led. A step that needs the server in vain is tried again by itself. */
  async move(step, onFailure = "stall") {
    this.#endStall();
    try {
      await step();
      this.#show();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (onFailure === "stall") this.#stall(failure);
      else this.#screen.say(failure.message, { urgent: true });
      if (onFailure === "stay" && this.#unready()) this.#show();
    }
  }

  #stall(failure) {
    const again = () => this.#keys.run(() => this.advance());
    const back = () => this.#keys.run(() => this.move(async () => this.#feed.current));
    const title = "The next tiles are not here yet";
    const text = `${failure.message} It is tried again by itself. What you decided is kept.`;
    this.#screen.nothing();
    this.#screen.finished({ title, text, actions: [["Try again", again], ["Go back", back]] });
    this.#stalled = setTimeout(again, RETRY);
  }

  #endStall() {
    clearTimeout(this.#stalled);
    this.#stalled = 0;
  }
}
