// Work that was done here and is not on the server yet. Kept in the browser before anybody is told that it is done,
// sent in order in the background, sent again until it is answered, and never dropped without being asked.
//
// A record is {id, person, area, subject, url, body, order, state, problem, ...}: `id` is the UUID that makes a repeated
// request harmless, `subject` names what it is about, `body` is the JSON to post. `state` is
//   waiting   to be sent, or sent and not answered yet
//   conflict  somebody else changed the subject: a person must choose
//   refused   the server said no: a person must look
// What comes later about a subject in conflict is held back until the conflict is settled.

import { Failure, request } from "./http.js";
import { openStore } from "./store.js";

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
const LONGEST_PAUSE_SIGNED_OUT = 10_000;

function pauseAfter(tries, failure) {
  const longest = failure.signedOut ? LONGEST_PAUSE_SIGNED_OUT : LONGEST_PAUSE;
  const growing = Math.min(longest, FIRST_PAUSE * 2 ** Math.min(tries, 10));
  return Math.max(growing * (0.5 + Math.random() / 2), failure.retryAfter * 1000);
}

/**
 * Events: `change` whenever anything about the records or the sending changed; `sent` with detail {record, answer};
 * `conflict` and `refused` with detail {record}.
 */
export class Outbox extends EventTarget {
  #records = new Map();
  #sorted = null;
  #last = 0;
  #tries = 0;
  #timer = 0;
  #sending = false;
  #failure = null;
  #name;
  #store;
  #channel;
  #stop = new AbortController();

  constructor({ person, store, channel, name = "outbox" }) {
    super();
    this.person = person;
    this.#name = `demeter-${name}-${person}`;
    this.#store = store;
    this.#channel = channel;
    if (channel) channel.onmessage = ({ data }) => this.#heard(data);
  }

  /** The outbox of a person, with what earlier pages left in it. Sends what there is. name: of the store it is kept in. */
  static async open(person, name = "outbox") {
    const store = await openStore(name);
    const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(`demeter-${name}-${person}`) : null;
    const outbox = new Outbox({ person, store, channel, name });
    for (const record of await store.all()) if (record.person === person) outbox.#take(record);
    outbox.#listen();
    return outbox;
  }

  /** Records in the order in which they were made. */
  get records() {
    this.#sorted ??= [...this.#records.values()].sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
    return this.#sorted;
  }

  /** Records about one subject of one area, oldest first. */
  about(area, subject) {
    return this.records.filter((record) => record.area === area && record.subject === subject);
  }

  get waiting() {
    return this.records.filter((record) => record.state === "waiting");
  }

  get troubled() {
    return this.records.filter((record) => record.state !== "waiting");
  }

  /** What the last try to send ended with; null while all is well. */
  get failure() {
    return this.#failure;
  }

  /** Whether unsent work survives a reload in this browser. */
  get lasting() {
    return this.#store.lasting;
  }

  /** Resolves once all is sent, or sending failed for now. */
  settled() {
    if (!this.waiting.length || this.#failure) return Promise.resolve();
    return new Promise((resolve) => {
      const look = () => {
        if (this.waiting.length && !this.#failure) return;
        this.removeEventListener("change", look);
        resolve();
      };
      this.addEventListener("change", look);
    });
  }

  /** Keep a piece of work in place of the records in `remove`; resolves once it will outlast this page, and sends it
   *  in the background. */
  async add(record, { remove = [] } = {}) {
    this.#last = Math.max(Date.now(), this.#last + 1);
    const kept = { ...record, person: this.person, order: this.#last, state: "waiting", problem: null };
    await this.change({ put: [kept], remove });
  }

  /** Put changed records back and remove others, in one step; then go on sending. */
  async change({ put = [], remove = [] }) {
    await this.#store.write({ put, remove });
    this.#apply({ put, remove });
    this.#channel?.postMessage({ put, remove });
    if (!this.#timer) this.send();
  }

  /** Send what waits, now; also ends a pause between two tries. */
  send() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.#sending && this.#next()) this.#sendAll();
  }

  close() {
    this.#stop.abort();
    this.#channel?.close();
    clearTimeout(this.#timer);
  }

  #listen() {
    const { signal } = this.#stop;
    addEventListener("online", () => this.send(), { signal });
    addEventListener("focus", () => this.send(), { signal });
    addEventListener("pageshow", () => this.send(), { signal });
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.send(), { signal });
    addEventListener("beforeunload", (event) => this.waiting.length && event.preventDefault(), { signal });
    this.send();
  }

  #take(record) {
    this.#sorted = null;
    this.#records.set(record.id, record);
    this.#last = Math.max(this.#last, record.order);
  }

  #apply({ put = [], remove = [] }) {
    this.#sorted = null;
    for (const id of remove) this.#records.delete(id);
    for (const record of put) this.#take(record);
    this.#tell("change");
  }

  /** Another tab of the same person did something to the common store. */
  #heard({ put, remove, sent }) {
    const known = sent && this.#records.get(sent.id);
    this.#apply({ put, remove });
    if (known) this.#tell("sent", { record: known, answer: sent.answer });
    if (!this.#timer) this.send();
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #next() {
    const stuck = new Set();
    for (const record of this.records) {
      const about = `${record.area} ${record.subject}`;
      if (record.state === "conflict") stuck.add(about);
      if (record.state === "refused") stuck.add(record.id);
      if (record.state !== "waiting") continue;
      if (!stuck.has(about) && !stuck.has(record.body.undoes)) return record;
      stuck.add(record.id);
    }
    return null;
  }

  /** One tab sends at a time where the browser can lock; elsewhere the ids make a second sender harmless. */
  async #sendAll() {
    this.#sending = true;
    this.#tell("change");
    const loop = () => this.#loop();
    try {
      if (navigator.locks) await navigator.locks.request(this.#name, loop);
      else await loop();
    } catch (error) {
      this.#failure = new Failure(`This browser's storage failed (${error.message}).`);
    }
    this.#sending = false;
    this.#tell("change");
    if (this.#failure) {
      this.#timer = setTimeout(() => this.send(), pauseAfter(this.#tries, this.#failure));
      this.#tries += 1;
    } else if (this.#next()) {
      this.send();
    }
  }

  async #loop() {
    for (let record = this.#next(); record; record = this.#next()) {
      const stored = await this.#store.get(record.id);
      if (stored?.state !== "waiting") {
        this.#apply(stored ? { put: [stored] } : { remove: [record.id] });
        continue;
      }
      try {
        const answer = await request(record.url, { method: "POST", body: record.body, person: this.person });
        await this.#answered(record, answer);
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        if (failure.passing || failure.signedOut) {
          this.#failure = failure;
          return;
        }
        await this.#declined(record, failure);
      }
      this.#failure = null;
      this.#tries = 0;
    }
  }

  async #answered(record, answer) {
    await this.#store.write({ remove: [record.id] });
    this.#apply({ remove: [record.id] });
    this.#channel?.postMessage({ remove: [record.id], sent: { id: record.id, answer } });
    this.#tell("sent", { record, answer });
  }

  async #declined(record, failure) {
    const state = failure.code === "stale" ? "conflict" : "refused";
    const { code, message, data } = failure;
    const changed = { ...record, state, problem: { code, message, cause: data?.cause, current: data?.current } };
    await this.#store.write({ put: [changed] });
    this.#apply({ put: [changed] });
    this.#channel?.postMessage({ put: [changed] });
    this.#tell(state, { record: changed });
  }
}
