// What the pages remember of a person, over reloads and computers: keys, layers, colours. Written behind the person's
// back, so a failure costs nothing but the memory; the page goes on with what it has.

import { request } from "./http.js";

const PAUSE = 800;

export class Preferences {
  #values;
  #url;
  #person;
  #changed = {};
  #timer = 0;

  /** values: all that the server remembered, by name. person: the id of whom the page belongs to. */
  constructor({ values, url, person }) {
    this.#values = values;
    this.#url = url;
    this.#person = person;
    addEventListener("pagehide", () => this.#send());
  }

  get(name) {
    return this.#values[name] ?? {};
  }

  /** Replace what is remembered under a name; null forgets it. Sent a moment later, with what else changes until then. */
  set(name, value) {
    this.#values[name] = value;
    this.#changed[name] = value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), PAUSE);
  }

  async #send() {
    clearTimeout(this.#timer);
    const body = this.#changed;
    if (!Object.keys(body).length) return;
    this.#changed = {};
    try {
      await request(this.#url, { method: "PATCH", body, person: this.#person, keepalive: true });
    } catch (failure) {
      if (failure.passing) this.#changed = { ...body, ...this.#changed };
    }
  }
}
