// Drafts on the server, behind those in the browser: another computer has them, too. Nothing waits for this, and what
// fails is tried again with the next change; the draft in the browser is the one that counts.

const PAUSE = 1_200;

export class Kept {
  #waiting = new Map();
  #flying = new Map();
  #there = new Set();

  constructor(remote) {
    this.remote = remote;
    addEventListener("pagehide", () => {
      for (const index of [...this.#waiting.keys()]) this.#send(index, true);
    });
  }

  /** The server has a draft of this tile already. */
  known(index) {
    this.#there.add(index);
  }

  /** draft: {text, components, base}. */
  put(index, { text, components, base }) {
    const body = { text, components, base_version: base };
    clearTimeout(this.#waiting.get(index)?.timer);
    this.#waiting.set(index, { body, timer: setTimeout(() => this.#send(index), PAUSE) });
  }

  /** It was saved or dropped: forget it, also where it is on its way. */
  async drop(index) {
    clearTimeout(this.#waiting.get(index)?.timer);
    this.#waiting.delete(index);
    await this.#flying.get(index);
    if (!this.#there.delete(index)) return;
    await this.remote.forget(index).catch(() => this.#there.add(index));
  }

  #send(index, keepalive = false) {
    const { body, timer } = this.#waiting.get(index);
    clearTimeout(timer);
    this.#waiting.delete(index);
    this.#there.add(index);
    const sending = this.remote.keep(index, body, keepalive).catch(() => {});
    this.#flying.set(index, sending);
    sending.then(() => this.#flying.get(index) === sending && this.#flying.delete(index));
  }
}
