// Undo, to any depth: of what this page knows at once, of what was done about many tiles or elsewhere after the server
// was asked.

import { Failure, request } from "../lib/http.js";
import { entryOfAnswer } from "./verdicts.js";
import { stateWords } from "./words.js";

export class Undoing {
  #page;
  #verdicts;
  #journey;
  #feed;
  #outbox;
  #back;
  #keys;
  #say;
  #hearing = Promise.resolve();

  /** back: a TakingBack. say(text, {urgent}) tells the person. */
  constructor({ page, verdicts, journey, feed, outbox, back, keys, say }) {
    this.#page = page;
    this.#verdicts = verdicts;
    this.#journey = journey;
    this.#feed = feed;
    this.#outbox = outbox;
    this.#back = back;
    this.#keys = keys;
    this.#say = say;
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#hear());
  }

  /** Take back what the person did last. */
  async undo() {
    await this.#hearing;
    const entry = this.#verdicts.newest();
    if (entry && !entry.many) await this.#one(entry);
    else await this.#many();
  }

  async #one(entry) {
    this.#verdicts.undo(entry);
    await this.#journey.goTo(entry.index);
    this.#say(`Undone: tile_${entry.index} is ${stateWords(entry.from, this.#page.reasons)} again.`);
  }

  /** What was decided about many tiles, or so long ago that this page does not know of it, the server knows. */
  async #many() {
    const newest = await this.#back.newest(this.#outbox, (text) => this.#say(text, { urgent: true }));
    if (newest?.newest && newest.count === 1) await this.#one(entryOfAnswer(newest.newest));
    else if (newest) this.#back.ask(newest, (text) => this.#say(text), (words) => this.#done(newest, words));
  }

  /** Many tiles are not what they were: read them again, beginning where the action ended. */
  async #done(newest, words) {
    await this.#keys.run(async () => {
      await this.#hear();
      await this.#journey.move(async () => {
        this.#verdicts.counts = await this.#feed.restart(this.#feed.filter);
      }, "stay");
      if (newest.newest) await this.#journey.goTo(newest.newest.index);
      this.#say(words);
    });
  }

  /** Read one's own log again: the gallery, or another computer, may have added to it. */
  #hear() {
    this.#hearing = request(`${this.#page.urls.decisions}?mine=1`, { timeout: 5_000 })
      .then(({ items }) => this.#verdicts.heard(items))
      .catch((failure) => {
        if (!(failure instanceof Failure)) throw failure;
      });
    return this.#hearing;
  }
}
