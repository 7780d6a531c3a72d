// The tiles of the queue in the order of their numbers or scores, some ahead of and some behind the one on the screen. Loads
// more before they are needed, so that stepping never waits for the server.

import { Failure, request } from "../lib/http.js";

const PAGE = 24;
const AHEAD = 16;
const BEHIND = 6;
const MOST = 600;
const FAR = 100;

/** Events: `change` when items came or went; `failure` with detail the Failure of a page that did not load. */
export class Feed extends EventTarget {
  items = [];
  filter = { state: "", reason: "", order: "" };
  #url;
  #before = false;
  #after = false;
  #place = 0;
  #loading = new Map();
  #generation = 0;
  #claims;

  /** claims: hands pages out, so that nobody else gets them; null for who only looks. */
  constructor(url, filter, first, claims = null) {
    super();
    this.#url = url;
    this.#claims = claims;
    this.filter = filter;
    this.#put(first);
  }

  /** The tile on the screen; null past the end. */
  get current() {
    return this.items[this.#place] ?? null;
  }

  get atEnd() {
    return this.#place >= this.items.length && !this.#after;
  }

  find(index) {
    return this.items.find((item) => item.index === index) ?? null;
  }

  /** The tile that `next` would step to, if it is loaded. */
  peek(wanted) {
    return this.items.find((item, at) => at > this.#place && wanted(item)) ?? null;
  }

  /** The current tile, then the next `ahead`, then the last `behind`. */
  around(ahead, behind) {
    const from = this.#place;
    return [
      ...this.items.slice(from, from + 1 + ahead),
      ...this.items.slice(Math.max(0, from - behind), from).reverse(),
    ];
  }

  /** Step to the next tile for which `wanted` holds, or past the end. Waits only when it is not loaded yet. */
  async next(wanted = () => true) {
    for (;;) {
      const place = this.items.findIndex((item, at) => at > this.#place && wanted(item));
      if (place >= 0) return this.#go(place);
      if (!this.#after) return this.#go(this.items.length);
      await this.#load("after");
    }
  }

  /** Step back. Stays where it is at the beginning. */
  async previous() {
    if (this.#place === 0 && this.#before) await this.#load("before");
    return this.#go(Math.max(0, this.#place - 1));
  }

  /** Go so many places on, or back when negative; as far as there are any. Up to FAR places cost one request. */
  async leap(by) {
    const side = by > 0 ? "after" : "before";
    const room = () => (by > 0 ? this.items.length - 1 - this.#place : this.#place);
    const more = () => (by > 0 ? this.#after : this.#before);
    while (room() < Math.abs(by) && more()) await this.#load(side, FAR);
    return this.#go(Math.max(0, Math.min(this.items.length - 1, this.#place + by)));
  }

  /** Go to a number, whatever the filter says. Throws a Failure when there is no such tile. */
  async jump(index) {
    const found = this.items.findIndex((item) => item.index === index);
    if (found >= 0) return this.#go(found);
    const { decisions: _decisions, ...tile } = await request(`${this.#url}${index}/`);
    if (tile.build_state !== "built") throw new Failure(`${tile.name} is not built, so there is nothing to look at. ${tile.problem}`.trim());
    // In the order of the scores only the server knows what lies around a tile.
    const place = this.filter.order ? -1 : this.items.findIndex((item) => item.index > index);
    if (place > 0) {
      this.items.splice(place, 0, tile);
      return this.#go(place);
    }
    this.#generation += 1;
    this.items = [tile];
    this.#before = this.#after = true;
    return this.#go(0);
  }

  /** Drop tiles that somebody else got meanwhile, but not the one on the screen. */
  drop(indexes) {
    const current = this.current;
    this.items = this.items.filter((item) => item === current || !indexes.has(item.index));
    this.#place = current ? this.items.indexOf(current) : this.items.length;
    this.#tell("change");
  }

  /** Begin again with a filter, at its first tile; resolves with the counts of the area. */
  async restart(filter) {
    this.filter = filter;
    const generation = (this.#generation += 1);
    const page = await this.#read({});
    if (generation !== this.#generation) return;
    this.#put(page);
    this.#go(0);
    return page.counts;
  }

  /** Read one tile again, since its pixels or its state changed. */
  async refresh(index) {
    const item = this.find(index);
    const { decisions: _decisions, ...fresh } = await request(`${this.#url}${index}/`);
    if (item) Object.assign(item, fresh);
    this.#tell("change");
  }

  #go(place) {
    this.#place = place;
    this.#trim();
    if (this.items.length - this.#place <= AHEAD && this.#after) this.#load("after").catch(() => {});
    if (this.#place <= BEHIND && this.#before) this.#load("before").catch(() => {});
    this.#tell("change");
    return this.current;
  }

  #put(page) {
    this.items = page.items;
    this.#before = page.has_before;
    this.#after = page.has_after;
    this.#place = 0;
  }

  #load(side, size = PAGE) {
    const known = this.#loading.get(side);
    if (known) return known;
    const loading = this.#fetch(side, size)
      .catch((failure) => {
        this.#tell("failure", failure);
        throw failure;
      })
      .finally(() => this.#loading.delete(side));
    this.#loading.set(side, loading);
    return loading;
  }

  async #fetch(side, size) {
    const generation = this.#generation;
    const edge = side === "after" ? this.items.at(-1) : this.items[0];
    const page = await this.#read(edge ? { [side]: edge.index } : {}, size);
    if (generation !== this.#generation) return;
    if (side === "after") {
      this.items.push(...page.items);
      this.#after = page.has_after;
    } else {
      this.items.unshift(...page.items);
      this.#place += page.items.length;
      this.#before = page.has_before;
    }
    this.#tell("change");
  }

  #trim() {
    const tooMany = this.items.length - MOST;
    if (tooMany <= 0 || this.#place < tooMany + BEHIND) return;
    this.items.splice(0, tooMany);
    this.#place -= tooMany;
    this.#before = true;
  }

  #read(bounds, size = PAGE) {
    const wanted = Object.entries(this.filter).filter(([, value]) => value);
    const asked = new URLSearchParams({ limit: size, ...Object.fromEntries(wanted), ...bounds });
    return this.#claims ? this.#claims.handOut(asked) : request(`${this.#url}?${asked}`);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
