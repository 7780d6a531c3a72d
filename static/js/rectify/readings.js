// What a person says of captions as they stand: accepted, flagged, a finding dismissed, and each taken back. It counts on
// the screen at once and is sent in the background, in order, until the server has answered.

import { uuid } from "../lib/ids.js";
import { Outbox } from "../lib/outbox.js";

const STORE = "readings";

/** Events: `change`; `said` with detail {index, answer}; `lost` with detail {index, message, stale}: it did not count. */
export class Readings extends EventTarget {
  #outbox;

  /** page: {area, person}. remote: knows where what is said of a tile is sent. */
  constructor({ area, person, remote }) {
    super();
    this.area = area;
    this.person = person;
    this.remote = remote;
  }

  async open() {
    this.#outbox = await Outbox.open(this.person, STORE);
    this.#outbox.addEventListener("change", () => this.dispatchEvent(new Event("change")));
    this.#outbox.addEventListener("sent", ({ detail }) => this.#sent(detail));
    for (const name of ["conflict", "refused"]) this.#outbox.addEventListener(name, ({ detail }) => this.#declined(detail.record));
    for (const record of this.#outbox.troubled) this.#declined(record);
  }

  get waiting() {
    return this.#outbox?.waiting.length ?? 0;
  }

  /** Tiles of this area about which something waits to be sent. */
  get unsent() {
    return (this.#outbox?.waiting ?? []).filter(({ area }) => area === this.area).map(({ subject }) => subject);
  }

  /** What the last try to send ended with; null while all is well. */
  get failure() {
    return this.#outbox?.failure ?? null;
  }

  /** Take it on; returns its id at once. What this browser cannot keep is `lost`. */
  add(index, verb, more) {
    return this.#keep(index, this.remote.readings(index), { verb, ...more });
  }

  /** Say that a finding is none. Repeated, it changes nothing. */
  dismiss(index, finding) {
    return this.#keep(index, this.remote.dismissal(index, finding), {});
  }

  /** Let it count again. undoes: the id of its dismissal, without which this is not sent. */
  undismiss(index, finding, undoes) {
    return this.#keep(index, this.remote.undismissal(index, finding), { undoes });
  }

  #keep(index, url, body) {
    const id = uuid();
    this.#outbox.add({ id, area: this.area, subject: index, url, body: { client_id: id, ...body } });
    return id;
  }

  #sent({ record, answer }) {
    const newer = this.#outbox.about(record.area, record.subject).length > 0;
    if (record.area === this.area && !newer) this.#tell("said", { index: record.subject, answer });
  }

  /** Somebody saved since, or it cannot be: it is not kept, for the caption is put before the person again. */
  async #declined(record) {
    const later = this.#outbox.about(record.area, record.subject).filter((other) => other.body.undoes === record.id);
    await this.#outbox.change({ remove: [record.id, ...later.map((other) => other.id)] });
    if (record.area !== this.area) return;
    this.#tell("lost", { index: record.subject, message: record.problem.message, stale: record.state === "conflict" });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
