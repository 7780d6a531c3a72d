// The captions of the queue, the most doubtful first, in the order in which they were handed out. More come before these
// are through, so that a step waits for nobody.

import { Failure, request } from "../lib/http.js";

const AHEAD = 12;

/** Events: `change` when items came, went or were read anew; `failure` with detail the Failure of a page that did not load. */
export class Feed extends EventTarget {
  items = [];
  #place = 0;
  #after = "";
  #loading = null;
  #url;
  #filter;
  #claims;

  constructor({ first, filter, url, claims }) {
    super();
    this.#url = url;
    this.#filter = filter;
    this.#claims = claims;
    this.#take(first);
  }

  /** The caption on the screen; null past the end. */
  get current() {
    return this.items[this.#place] ?? null;
  }

  /** The one that comes next, if it is here. */
  get following() {
    return this.items[this.#place + 1] ?? null;
  }

  get atEnd() {
    return this.#place >= this.items.length && !this.#after;
  }

  find(index) {
    return this.items.find((item) => item.index === index) ?? null;
  }

  around(ahead, behind) {
    const from = this.#place;
    return [...this.items.slice(from, from + 1 + ahead), ...this.items.slice(Math.max(0, from - behind), from).reverse()];
  }

  /** Those that this page wants to keep for its person. */
  get held() {
    return this.items.slice(this.#place).map((item) => item.index);
  }

  /** Step on. Waits only where nothing is loaded; throws a Failure, and stays, where it does not come. */
  async next() {
    if (this.#place + 1 >= this.items.length && this.#after) await this.#load();
    this.#place = Math.min(this.#place + 1, this.items.length);
    if (this.items.length - this.#place <= AHEAD) this.#load().catch(() => {});
  }

  previous() {
    this.#place = Math.max(0, this.#place - 1);
  }

  /** Go to a tile's caption; one that is not here is fetched and put in this place. Throws a Failure. */
  async goTo(index) {
    if (!this.find(index)) {
      const item = await request(`${this.#url}${index}/`);
      this.items.splice(this.#place, 0, item);
    }
    this.#place = this.items.findIndex((item) => item.index === index);
  }

  /** Read one again, as it stands on the server. */
  async refresh(index) {
    const item = this.find(index);
    if (!item) return;
    Object.assign(item, await request(`${this.#url}${index}/`));
    this.#tell("change", { index });
  }

  /** Let one that was read come again after the one on the screen. */
  again(index) {
    const item = this.find(index);
    const { current } = this;
    if (!item || item === current) return;
    this.items.splice(this.items.indexOf(item), 1);
    this.#place = current ? this.items.indexOf(current) : this.items.length;
    this.items.splice(this.#place + (current ? 1 : 0), 0, item);
    this.#tell("change", { index });
  }

  /** Leave out captions that somebody else has, but for the one on the screen. */
  drop(indexes) {
    const { current } = this;
    this.items = this.items.filter((item, at) => at <= this.#place || !indexes.has(item.index));
    this.#place = current ? this.items.indexOf(current) : this.items.length;
    this.#tell("change", {});
  }

  #load() {
    if (!this.#after) return Promise.resolve();
    this.#loading ??= this.#claims
      .handOut(new URLSearchParams({ ...this.#filter, after: this.#after }))
      .then((page) => {
        this.#take(page);
        this.#tell("change", {});
      })
      .catch((failure) => {
        if (failure instanceof Failure) this.#tell("failure", failure);
        throw failure;
      })
      .finally(() => {
        this.#loading = null;
      });
    return this.#loading;
  }

  #take({ items, after, left, left_capped: capped }) {
    const known = new Set(this.items.map((item) => item.index));
    this.items.push(...items.filter((item) => !known.has(item.index)));
    this.#after = after;
    this.left = left;
    this.capped = capped;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
