// What the person decided on this page: kept in the outbox, shown at once, undone in turn.

import { uuid } from "../lib/ids.js";
import { expected, waits } from "./policy.js";

/** Events: `change` after anything that the page shows of decisions; `moved` with detail the number of a tile whose
 *  state on the server is news to this page. */
export class Verdicts extends EventTarget {
  /** Own entries of the log, oldest first: {id, index, verb, from, to, undoes, many}. `many`: of an action on several. */
  #entries = [];
  #counts;
  #outbox;
  #page;
  #find;

  /** page: the page's data. find: number -> loaded tile or null. */
  constructor({ outbox, page, find }) {
    super();
    this.#outbox = outbox;
    this.#page = page;
    this.#find = find;
    this.#counts = page.counts;
    this.#entries = page.mine.map(entryOfAnswer).reverse();
    for (const record of outbox.records.filter((each) => each.area === page.area.slug)) this.#note(entryOfRecord(record));
    outbox.addEventListener("sent", ({ detail }) => this.#sent(detail));
    outbox.addEventListener("conflict", ({ detail }) => this.#conflict(detail.record));
    outbox.addEventListener("change", () => this.#tell("change"));
  }

  /** Counts by state with what is unsent taken in. */
  get counts() {
    const counts = { ...this.#counts };
    for (const record of this.unsent) {
      counts[record.from.state] -= 1;
      counts[record.to.state] += 1;
    }
    return counts;
  }

  set counts(counts) {
    this.#counts = counts;
    this.#tell("change");
  }

  /** Take in what the server has of one's own log, newest first; what it has not heard of yet stays. */
  heard(decisions) {
    const fresh = decisions.map(entryOfAnswer).reverse();
    const known = new Set(fresh.map(({ id }) => id));
    const last = this.#entries.findLastIndex((entry) => known.has(entry.id));
    const unsent = new Set(this.#outbox.records.map(({ id }) => id));
    const later = this.#entries.filter((entry, at) => (last >= 0 && at > last) || unsent.has(entry.id));
    this.#entries = [...fresh, ...later.filter(({ id }) => !known.has(id))];
    this.#tell("change");
  }

  /** The last decision that is not undone; null when this page knows of none. */
  newest() {
    return this.last(Infinity).find((entry) => !entry.undone) ?? null;
  }

  /** Own decisions but those that a person must settle first, newest first: {id, index, verb, from, to, undone, unsent}. */
  last(size) {
    const troubled = new Set(this.#outbox.troubled.map((record) => record.id));
    const entries = this.#entries.filter((entry) => !troubled.has(entry.id));
    const undone = new Set(entries.map((entry) => entry.undoes));
    const unsent = new Set(this.unsent.map((record) => record.id));
    return entries
      .filter((entry) => entry.verb !== "undo")
      .slice(-size)
      .reverse()
      .map((entry) => ({ ...entry, undone: undone.has(entry.id), unsent: unsent.has(entry.id) }));
  }

  /** What a tile counts as for this person: the last unsent decision, else what the server says. */
  shown(item) {
    const records = this.#outbox.about(this.#page.area.slug, item.index);
    const stands = { state: item.state, reason: item.reason, yours: item.yours };
    if (records.some((record) => record.state === "conflict")) return stands;
    const last = records.filter((record) => record.state === "waiting").at(-1);
    return last ? { ...last.to, yours: last.body.verb !== "undo" && waits(last.to.state) } : stands;
  }

  /** Decide about a tile. It counts at once; what this browser cannot keep comes back as refused. */
  decide(item, verb, { reason = "", note = "" } = {}) {
    const id = uuid();
    const seen = { seen: item.layers, seen_version: item.version };
    this.#keep({
      id,
      subject: item.index,
      body: { client_id: id, index: item.index, verb, reason, note, ...seen },
      from: this.shown(item),
      to: expected(item, this.shown(item), verb, reason),
    });
  }

  /** Take one's own newest decision back, as `newest` or the server gave it; as `decide`. */
  undo(entry) {
    const id = uuid();
    this.#keep({
      id,
      subject: entry.index,
      body: { client_id: id, index: entry.index, verb: "undo", undoes: entry.id },
      from: entry.to,
      to: entry.from,
    });
  }

  /** Settle a conflict in one's own favour: the same decision again, now that one knows the other. */
  async overwrite(record) {
    const { current } = record.problem;
    const id = uuid();
    const fresh = { seen: current.layers, seen_version: current.version, past_claim: true };
    const again = {
      ...record,
      id,
      state: "waiting",
      problem: null,
      body: { ...record.body, client_id: id, ...fresh },
      from: { state: current.state, reason: current.reason },
    };
    const later = this.#laterThan(record).map((held) => ({
      ...held,
      body: {
        ...held.body,
        ...(held.body.seen ? fresh : {}),
        ...(held.body.undoes === record.id ? { undoes: id } : {}),
      },
    }));
    this.#entries = this.#entries.map((entry) => {
      if (entry.id === record.id) return entryOfRecord(again);
      return entry.undoes === record.id ? { ...entry, undoes: id } : entry;
    });
    await this.#outbox.change({ put: [again, ...later], remove: [record.id] });
  }

  /** Settle a conflict or a refusal by letting go what depends on it. */
  async drop(record) {
    const all = record.state === "conflict" ? this.#laterThan(record) : this.#dependents(record);
    const gone = [record, ...all].map(({ id }) => id);
    this.#entries = this.#entries.filter((entry) => !gone.includes(entry.id));
    await this.#outbox.change({ remove: gone });
  }

  /** Send something again that was refused. */
  async retry(record) {
    await this.#outbox.change({ put: [{ ...record, state: "waiting", problem: null }] });
  }

  /** How many of one's own decisions wait behind this one. */
  behind(record) {
    return (record.state === "conflict" ? this.#laterThan(record) : this.#dependents(record)).length;
  }

  #keep(record) {
    // Whoever decides again about a tile in conflict has seen what stands there now, and settles it thereby: in one
    // step, so that a page that dies meanwhile keeps either the conflict or the new decision.
    const settled = this.#outbox
      .about(this.#page.area.slug, record.subject)
      .filter((each) => each.state === "conflict" && record.body.verb !== "undo");
    const gone = settled.flatMap((conflict) => [conflict, ...this.#laterThan(conflict)]).map(({ id }) => id);
    const { slug, name } = this.#page.area;
    this.#entries = this.#entries.filter((entry) => !gone.includes(entry.id));
    this.#note(entryOfRecord(record));
    this.#outbox.add({ ...record, area: slug, area_name: name, url: this.#page.urls.decisions }, { remove: gone });
  }

  /** Records about this area that the server has not answered. */
  get unsent() {
    return this.#outbox.waiting.filter((record) => record.area === this.#page.area.slug);
  }

  #laterThan(record) {
    return this.#outbox.about(record.area, record.subject).filter((each) => each.order > record.order);
  }

  #dependents(record) {
    return this.#laterThan(record).filter((each) => each.body.undoes === record.id);
  }

  #note(entry) {
    this.#entries = [...this.#entries.filter((each) => each.id !== entry.id), entry];
  }

  #sent({ record, answer }) {
    if (record.area !== this.#page.area.slug) return;
    this.#counts = answer.counts;
    const { decision } = answer;
    this.#entries = this.#entries.map((entry) => (entry.id === decision.client_id ? entryOfAnswer(decision) : entry));
    const item = this.#find(decision.index);
    if (item && decision.version > item.version) {
      const { to_state: state, to_reason: reason, version } = decision;
      Object.assign(item, { state, reason, version, yours: answer.yours, claim: null });
    }
    this.#tell("change");
  }

  #conflict(record) {
    if (record.area !== this.#page.area.slug) return;
    const { cause, current } = record.problem;
    const item = this.#find(record.subject);
    if (item && cause === "decision" && current) {
      Object.assign(item, { state: current.state, reason: current.reason, version: current.version });
    }
    this.#tell("moved", record.subject);
    this.#tell("change");
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function entryOfRecord({ id, subject, body, from, to }) {
  return { id, index: subject, verb: body.verb, from, to, undoes: body.undoes ?? null, many: false };
}

/** An entry of the log as the server tells it. */
export function entryOfAnswer(decision) {
  return {
    id: decision.client_id,
    index: decision.index,
    verb: decision.verb,
    from: { state: decision.from_state, reason: decision.from_reason },
    to: { state: decision.to_state, reason: decision.to_reason },
    undoes: decision.undoes,
    many: decision.action !== decision.client_id,
  };
}
