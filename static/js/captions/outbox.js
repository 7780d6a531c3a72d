// Sends drafts of captions, one save a tile at a time, again and again until the server has answered.

import { uuid } from "../lib/ids.js";

const LONGEST_PAUSE = 30_000;

// A tile's save is `sending`, `waiting` (no answer; tried again), `signed-out` (likewise), `refused`, or in `conflict`.
const UNANSWERED = ["sending", "waiting", "signed-out"];

export class CaptionOutbox {
  constructor({ remote, drafts, onChange, onSaved }) {
    this.remote = remote;
    this.drafts = drafts;
    this.onChange = onChange;
    this.onSaved = onSaved;
    this.states = new Map();
    this.timers = new Map();
    this.stop = new AbortController();
    const { signal } = this.stop;
    for (const name of ["online", "focus", "pageshow"]) addEventListener(name, () => this.retryNow(), { signal });
  }

  /** {kind, message, conflict} of a tile's save, or null when nothing is under way. */
  state(index) {
    return this.states.get(index) ?? null;
  }

  /** What somebody wrote over version `base`; components only where they are edited. Words that differ from those being
   *  sent are another save. */
  write(index, text, base, components = this.drafts.get(index)?.components) {
    const before = this.drafts.get(index);
    const same = before && sameWords(before, { text, components });
    const kept = same ? before : { text, components, base: before?.base ?? base, id: null, send: false, lost: before?.lost ?? null };
    this.drafts.put(index, kept);
    if (!same && ["waiting", "signed-out", "refused"].includes(this.state(index)?.kind)) this.settle(index, null);
  }

  discard(index) {
    this.drafts.drop(index);
    this.settle(index, null);
  }

  /** Save a tile's draft; when in conflict, over the version that was shown. */
  submit(index) {
    const draft = this.drafts.get(index);
    const state = this.state(index);
    if (!draft || state?.kind === "sending") return;
    const base = state?.conflict?.current.version ?? draft.base;
    this.drafts.put(index, { ...draft, base, id: draft.id ?? uuid(), send: true });
    this.send(index, 0);
  }

  /** Send what was to be sent when an earlier page was closed. */
  resume() {
    for (const index of this.drafts.indexes()) {
      if (this.drafts.get(index)?.send && !this.state(index)) this.send(index, 0);
    }
  }

  retryNow() {
    for (const [index, { kind }] of this.states) {
      if (kind === "waiting" || kind === "signed-out") this.send(index, 0);
    }
  }

  /** Indexes whose save the server has not answered. */
  unanswered() {
    return [...this.states].filter(([, { kind }]) => UNANSWERED.includes(kind)).map(([index]) => index);
  }

  close() {
    this.stop.abort();
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  settle(index, state) {
    clearTimeout(this.timers.get(index));
    this.timers.delete(index);
    if (state) this.states.set(index, state);
    else this.states.delete(index);
    this.onChange(index);
  }

  async send(index, tries) {
    const draft = this.drafts.get(index);
    if (!draft?.send) {
      this.settle(index, null); // another tab has sent it
      return;
    }
    this.settle(index, { kind: "sending" });
    try {
      const { text, components, base, id } = draft;
      const body = { text, components, base_version: base, client_id: id };
      this.acknowledged(index, draft, await this.remote.save(index, body));
    } catch (failure) {
      this.failed(index, draft, failure, tries);
    }
  }

  acknowledged(index, sent, caption) {
    const now = this.drafts.get(index);
    if (now && !sameWords(now, sent)) {
      // Somebody went on writing while it was sent: that is a draft over what was just saved.
      this.drafts.put(index, { text: now.text, components: now.components, base: caption.version, id: null, send: false, lost: null });
    } else {
      this.drafts.drop(index);
    }
    this.settle(index, null);
    this.onSaved(caption);
  }

  failed(index, sent, failure, tries) {
    const now = this.drafts.get(index);
    if (!now) {
      this.settle(index, null);
    } else if (failure.passing || failure.signedOut) {
      if (failure.passing) this.drafts.put(index, { ...now, lost: sent.text });
      if (!now.send) {
        this.settle(index, null); // it was changed meanwhile, and is sent when somebody saves it
        return;
      }
      this.settle(index, { kind: failure.passing ? "waiting" : "signed-out", message: failure.message });
      const pause = Math.max(Math.min(LONGEST_PAUSE, 1000 * 2 ** tries), (failure.retryAfter ?? 0) * 1000);
      this.timers.set(index, setTimeout(() => this.send(index, tries + 1), pause));
    } else if (failure.code === "stale") {
      this.stale(index, now, failure.data);
    } else {
      this.drafts.put(index, { ...now, id: null, send: false });
      this.settle(index, { kind: "refused", message: failure.message });
    }
  }

  stale(index, draft, conflict) {
    if (draft.send && draft.lost !== null && conflict.current.text === draft.lost.trim()) {
      // What stands there is our own earlier save, whose answer never came: go on from it.
      this.drafts.put(index, { ...draft, base: conflict.current.version, id: uuid(), lost: null });
      this.send(index, 0);
      return;
    }
    this.drafts.put(index, { ...draft, id: null, send: false });
    this.settle(index, { kind: "conflict", conflict });
  }
}

function sameWords(one, other) {
  return one.text === other.text && JSON.stringify(one.components) === JSON.stringify(other.components);
}
