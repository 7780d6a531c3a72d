// Dismissing findings, and taking that back. The server is asked at once: a dismissal is rare, and no step waits for it.

import { Failure } from "../lib/http.js";

export class Findings {
  constructor({ remote, say }) {
    this.remote = remote;
    this.say = say;
  }

  /** Whether it was dismissed; takes it from the item's caption then. */
  async dismiss(item, finding) {
    if (!(await this.#try(() => this.remote.dismiss(item.index, finding.id), "Not dismissed."))) return false;
    item.caption.findings = item.caption.findings.filter((other) => other !== finding);
    return true;
  }

  /** Whether it counts again. */
  restore(index, finding) {
    return this.#try(() => this.remote.undismiss(index, finding.id), "Not undone.");
  }

  async #try(act, otherwise) {
    try {
      await act();
      return true;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.say(`${otherwise} ${failure.message}`, true);
      return false;
    }
  }
}
