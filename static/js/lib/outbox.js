// Work that was done here and is not on the server yet. It counts at once, is kept in the browser beside that, and is
// sent only when it is kept: in order, in the background, again until it is answered. Nothing is dropped without asking.
//
// A record is {id, person, area, subject, url, body, order, state, problem, ...}: `id` is the UUID that makes a repeated
// request harmless, `subject` names what it is about, `body` is the JSON to post. `state` is
//   waiting   to be sent, or sent and not answered yet
//   conflict  somebody else changed the subject: a person must choose
//   refused   the server said no, or the browser could not keep it (code `storage`): a person must look
// What comes later about a subject in conflict is held back until the conflict is settled.

import { Failure, request } from "./http.js";
import { openStore } from "./store.js";

const AFTER_DRAWING = 80; // milliseconds: what a key shows is on the screen first
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
  #keeping = new Set(); // records that are on their way into the store
  #unkept = new Set(); // ids of records that the store did not take: they end with this page
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

  /** Take a piece of work on in place of the records in `remove`: at once here, then as `change`. */
  add(record, { remove = [] } = {}) {
    this.#last = Math.max(Date.now(), this.#last + 1);
    const taken = { ...record, person: this.person, order: this.#last, state: "waiting", problem: null };
    return this.change({ put: [taken], remove });
  }

  /**
   * Put changed records back and remove others, in one step: at once here, and in the store beside that. Resolves with
   * whether the store took it; then other tabs hear of it, and what waits is sent. When it did not, records that were
   * put are `refused`, and those that were removed are back.
   */
  async change({ put = [], remove = [] }) {
    const removed = remove.map((id) => this.#records.get(id)).filter(Boolean);
    for (const record of put) this.#keeping.add(record);
    this.#apply({ put, remove });
    try {
      await this.#store.write({ put, remove });
    } catch (error) {
      this.#notKept(put, removed, error);
      return false;
    } finally {
      for (const record of put) this.#keeping.delete(record);
    }
    for (const id of [...remove, ...put.map((record) => record.id)]) this.#unkept.delete(id);
    this.#channel?.postMessage({ put, remove });
    this.#timer ||= setTimeout(() => this.send(), AFTER_DRAWING);
    return true;
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
    addEventListener("beforeunload", (event) => (this.waiting.length || this.#unkept.size) && event.preventDefault(), { signal });
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

  #notKept(put, removed, error) {
    const message = `This browser's storage failed (${error?.message || "it does not say why"}).`;
    const back = removed.filter(({ id }) => !this.#unkept.delete(id));
    const refused = put.map((record) => ({ ...record, state: "refused", problem: { code: "storage", message } }));
    for (const { id } of put) this.#unkept.add(id);
    this.#apply({ put: [...back, ...refused] });
    for (const record of refused) this.#tell("refused", { record });
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

  /** What is to be sent now. Nothing goes out before it is kept, nor before what was done earlier. */
  #next() {
    const stuck = new Set();
    for (const record of this.records) {
      if (this.#keeping.has(record)) return null;
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
        this.#answered(record, answer);
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

  /** The next one need not wait until this one is out of the store: sent again, it would do no harm. */
  #answered(record, answer) {
    this.#store.write({ remove: [record.id] }).catch((error) => reportError(error));
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
