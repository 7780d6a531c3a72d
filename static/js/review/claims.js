// Tiles that this page has before its person and nobody else gets. Nothing here lies on the way of a key: pages are
// handed out ahead, claims renewed beside the work, and given back on leaving.

import { request } from "../lib/http.js";
import { hour, plural } from "./words.js";

const RENEWALS = 4;
const PAUSE = 300;
const WORKING = ["keydown", "pointerdown", "wheel"];

export class Claims {
  #page;
  #worked = Date.now();
  #renewed = Date.now();
  #every;
  #holds;
  #soon = 0;
  #turn = Promise.resolve();
  #ask = { held: () => [], lost: () => {} };

  constructor(page) {
    this.#page = page;
    this.#holds = Boolean(page.claims.until);
    this.#every = (page.claims.seconds * 1000) / RENEWALS;
  }

  /** held(): the numbers to keep; lost(claims): those that somebody else has, {index, by, until} each. */
  start({ held, lost }) {
    this.#ask = { held, lost };
    for (const name of WORKING) addEventListener(name, () => this.#working(), { passive: true, capture: true });
    setInterval(() => this.#worked > this.#renewed && this.#renew(), this.#every);
    addEventListener("pagehide", () => this.#release());
    addEventListener("pageshow", (event) => event.persisted && this.#renew());
    addEventListener("online", () => this.#renew());
  }

  /** The next tiles that a filter leaves, for nobody else. */
  async handOut(asked) {
    const { person, claims, urls } = this.#page;
    const body = { page: claims.page };
    const page = await this.#inTurn(() => request(`${urls.queue}?${asked}`, { method: "POST", body, person: person.id }));
    this.#holds ||= Boolean(page.until);
    return page;
  }

  /** Claim what is before the person now, also when the queue did not hand it out: it was undone, or jumped to. */
  keep() {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => {
      this.#holds ||= this.#ask.held().length > 0;
      this.#renew();
    }, PAUSE);
  }

  /** What others have before them, in a sentence; empty when that is nothing, or not known. */
  async words() {
    const { items } = await request(this.#page.urls.claims).catch(() => ({ items: [] }));
    const others = items.filter(({ by }) => by !== this.#page.person.name);
    return others
      .map(({ by, tiles, until }) => `${by} has ${plural(tiles.length, "tile")} on the screen or next, until ${hour(until)}.`)
      .join(" ");
  }

  /** Somebody is there. After a long rest others may have got what was claimed here: better to know at once. */
  #working() {
    this.#worked = Date.now();
    if (this.#worked - this.#renewed > this.#every * RENEWALS) this.#renew();
  }

  async #renew() {
    if (!this.#holds) return;
    this.#renewed = Date.now();
    const { person, claims, urls } = this.#page;
    const renewal = () => {
      const body = { page: claims.page, tiles: this.#ask.held() };
      return request(urls.claims, { method: "PUT", body, person: person.id });
    };
    try {
      const { lost } = await this.#inTurn(renewal);
      if (lost.length) this.#ask.lost(lost);
    } catch {
      // Claims are a courtesy: without them the work goes on, and what two decided about is said when it is sent.
    }
  }

  /** A renewal names all that the page holds, so it waits for what is being handed out, until the page has taken it in. */
  #inTurn(ask) {
    const done = this.#turn.then(ask);
    const soon = () => new Promise((resolve) => { setTimeout(resolve); });
    this.#turn = done.then(soon, soon);
    return done;
  }

  #release() {
    if (!this.#holds) return;
    const { person, claims, urls } = this.#page;
    request(`${urls.claims}?page=${claims.page}`, { method: "DELETE", person: person.id, keepalive: true }).catch(() => {});
  }
}
