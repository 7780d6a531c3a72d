// Past the last tile: the area is done, nothing matches the filter, or some tiles were passed over.

import { request } from "../lib/http.js";
import { dayWords } from "./screen.js";
import { plural } from "./words.js";

const RANGE_DONE = "Your range is done, or others have the rest of it before them. Turn Range off for the other tiles.";

export class Ending {
  #page;
  #feed;
  #verdicts;
  #outbox;
  #screen;
  #claims;
  #again;
  #back;

  /** claims: null for who only looks. again() begins with the filter anew; back() goes to the tile before. */
  constructor({ page, feed, verdicts, outbox, screen, claims, again, back }) {
    this.#page = page;
    this.#feed = feed;
    this.#verdicts = verdicts;
    this.#outbox = outbox;
    this.#screen = screen;
    this.#claims = claims;
    this.#again = again;
    this.#back = back;
  }

  async show() {
    const { filter } = this.#feed;
    const whole = ["queue", "pending"].includes(filter.state) && !filter.reason && !filter.mine;
    if (!whole) this.#ofFilter(filter);
    else if (this.#left > 0) await this.#ofQueue();
    else await this.#ofArea();
  }

  /** How many tiles still wait for a look. */
  get #left() {
    const { pending, second, disputed } = this.#verdicts.counts;
    return this.#feed.filter.state === "queue" ? pending + second + disputed : pending;
  }

  #actions(again) {
    const actions = [[again, this.#again]];
    if (this.#feed.items.length) actions.push(["Go back", this.#back]);
    return actions;
  }

  #ofFilter({ mine }) {
    const title = this.#feed.items.length ? "This is the last tile of the filter" : "No tile matches the filter";
    const text = mine ? RANGE_DONE : "Choose another state or reason above.";
    this.#screen.finished({ title, text, actions: this.#actions("Look for more") });
  }

  async #ofQueue() {
    const left = this.#left;
    const before = `${plural(left, "tile")} before this one ${left === 1 ? "is" : "are"} still pending.`;
    const waiting = `${plural(left, "tile")} ${left === 1 ? "waits" : "wait"} for a look, also of other people.`;
    const title = "This is the end of the queue";
    const text = this.#feed.filter.state === "queue" ? waiting : before;
    const actions = this.#actions("Go to the first");
    this.#screen.finished({ title, text, actions });
    const others = await this.#claims?.words();
    if (others && !this.#feed.current) this.#screen.finished({ title, text: `${text} ${others}`, actions });
  }

  async #ofArea() {
    const title = "Every tile of this area has been looked at";
    const actions = this.#actions("Look for more");
    this.#screen.finished({ title, text: "", actions });
    await this.#outbox.settled();
    const numbers = await request(`${this.#page.urls.decisions}?mine=1`).catch(() => null);
    const words = numbers ? dayWords(numbers.today.verbs) : "";
    if (!this.#feed.current) this.#screen.finished({ title, text: words, actions });
    this.#screen.say(`${title}. ${words}`);
  }
}
