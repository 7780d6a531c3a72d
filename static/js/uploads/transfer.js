// One file on its way to the server. It knows nothing of the page.
//
// `state` is one of
//   found      an earlier page began it; the same file must be chosen again
//   waiting    in the queue of this page
//   sending    on its way
//   retrying   the way is cut; it goes on by itself
//   paused     by a person
//   checking   all is there, a worker reads it
//   accepted, refused, cancelled   the end
//   stuck      the server said no before anything was sent, or this is another file: a person must choose

import { Failure, request } from "../lib/http.js";
import { uuid } from "../lib/ids.js";
import { crc32 } from "./crc.js";

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
const LEAST_CHUNK = 256 * 1024;
const CHUNK_TIMEOUT = 60_000;
const CHUNK_SECONDS = 2;
const ASK_AGAIN = 1_000;
const RATE_SECONDS = 15;
const OVER = new Set(["accepted", "refused", "cancelled"]);
const UNDER_WAY = new Set(["waiting", "sending", "retrying"]);
const OTHER_FILE =
  "This file has the name and size of one that was begun, but other content. Choose the right file, or cancel that one.";

export class Transfer extends EventTarget {
  state = "waiting";
  offset = 0;
  problem = "";
  suggestion = "";
  job = null;
  #begun = false;
  #tries = 0;
  #chunk = LEAST_CHUNK;
  #abort = null;
  #wake = null;
  #marks = [];

  constructor({ url, file = null, known = null, most }) {
    super();
    this.url = url;
    this.file = file;
    this.most = most;
    this.id = known?.id ?? uuid();
    this.name = known?.name ?? file.name;
    this.size = known?.size ?? file.size;
    this.#begun = Boolean(known);
    if (known) this.#heard(known);
    if (known?.state === "receiving") this.state = "found";
  }

  get over() {
    return OVER.has(this.state);
  }

  /** Whether leaving the page would stop it. */
  get underWay() {
    return UNDER_WAY.has(this.state);
  }

  /** Bytes a second lately; null while unknown. */
  get rate() {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    return this.#marks.length > 1 && last.at > first.at ? ((last.offset - first.offset) * 1000) / (last.at - first.at) : null;
  }

  get secondsLeft() {
    return this.rate ? (this.size - this.offset) / this.rate : null;
  }

  /** Send, until all is there or a person must do something. */
  run() {
    return this.#while(() => this.underWay, () => this.#step());
  }

  /** Ask what the check says, until it is over. */
  watch() {
    return this.#while(() => this.state === "checking", async () => {
      await this.#pause(ASK_AGAIN);
      if (this.state === "checking") this.#heard(await this.#ask(""));
    });
  }

  async #while(goesOn, step) {
    while (goesOn()) {
      this.#abort = new AbortController();
      try {
        await step();
        this.#tries = 0;
        if (this.problem && goesOn()) {
          this.problem = "";
          this.#changed();
        }
      } catch (error) {
        await this.#failed(error);
      }
    }
  }

  pause() {
    if (!this.underWay) return;
    this.#set("paused");
    this.#abort?.abort();
    this.#wake?.();
  }

  /** Go on after a pause, or with a name that can be had. Run it afterwards. */
  resume({ name } = {}) {
    if (name) this.name = name;
    this.problem = this.suggestion = "";
    this.#marks = [];
    this.#set("waiting");
  }

  /** Take the file of an upload that an earlier page began. Run it afterwards, if this says true. */
  async adopt(file) {
    this.#abort = new AbortController();
    const there = await this.#ask("");
    if (there.tail) {
      const { start, end, crc32: wanted } = there.tail;
      if ((await crc32(file.slice(start, end))) !== wanted) {
        if (file.name === this.name) this.problem = OTHER_FILE;
        this.#changed();
        return false;
      }
    }
    this.file = file;
    this.#heard(there);
    if (there.state === "receiving") this.resume();
    return !this.over;
  }

  async cancel() {
    const before = this.state;
    if (this.underWay) this.pause();
    this.#abort = new AbortController();
    try {
      if (this.#begun) this.#heard(await this.#ask("", { method: "DELETE" }));
      if (!this.over) this.#set("cancelled");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.status === 404) this.#set("cancelled");
      else {
        this.problem = error.message;
        if (before === "found") this.#set("found");
        else this.#changed();
      }
    }
  }

  /** Try at once instead of at the end of a pause between two tries. */
  tryNow() {
    this.#wake?.();
  }

  async #step() {
    if (!this.#begun) {
      this.#set("sending");
      const body = { id: this.id, name: this.name, size: this.size };
      this.#heard(await request(this.url, { method: "POST", body, signal: this.#abort.signal }));
      this.#begun = true;
    } else if (this.state === "retrying") {
      this.#heard(await this.#ask(""));
      if (this.state === "retrying") this.#set("sending");
    } else if (this.offset < this.size) {
      this.#set("sending");
      await this.#send();
    } else {
      this.#heard(await this.#ask("finish/", { method: "POST" }));
    }
  }

  async #send() {
    const length = Math.min(this.#chunk, this.size - this.offset, this.most);
    // Read before it is sent, for a request does not tell a file that was moved from a network that is away.
    const bytes = await this.file.slice(this.offset, this.offset + length).arrayBuffer();
    const began = performance.now();
    const answer = await this.#ask("", {
      method: "PATCH",
      body: new Blob([bytes]),
      more: { "Upload-Offset": String(this.offset) },
      timeout: CHUNK_TIMEOUT,
    });
    const seconds = (performance.now() - began) / 1000;
    if (seconds < CHUNK_SECONDS / 2) this.#chunk = Math.min(this.#chunk * 2, this.most);
    this.#heard(answer);
  }

  #ask(path, options = {}) {
    return request(`${this.url}${this.id}/${path}`, { signal: this.#abort?.signal, ...options });
  }

  #heard({ state, offset, problem, name, job }) {
    this.offset = offset;
    this.name = name;
    this.job = job;
    if (problem) this.problem = problem;
    const now = Date.now();
    this.#marks = [...this.#marks.filter((mark) => now - mark.at < RATE_SECONDS * 1000), { at: now, offset }];
    this.#set(state === "receiving" ? this.state : state);
  }

  async #failed(error) {
    if (this.state === "paused" || this.over || error.name === "AbortError") return;
    if (!(error instanceof Failure)) {
      this.problem = `${this.name} cannot be read any more: it was moved or changed.`;
      this.#set(this.#begun ? "found" : "stuck");
      return;
    }
    if (error.code === "wrong_offset") {
      this.offset = error.data.offset;
      this.#set("retrying");
    } else if (error.code === "cut_short" || error.code === "not_receiving" || error.passing || error.signedOut) {
      this.#chunk = Math.max(LEAST_CHUNK, this.#chunk / 2);
      this.problem = error.message;
      if (this.state !== "checking") this.#set(this.#begun ? "retrying" : "sending");
      this.#changed();
      await this.#pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#tries) * (0.5 + Math.random() / 2));
      this.#tries += 1;
    } else {
      this.problem = error.message;
      this.suggestion = error.data?.suggestion ?? "";
      this.#set("stuck");
    }
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      const wake = done;
      addEventListener("online", wake);
      this.#wake = wake;
      function done() {
        clearTimeout(timer);
        removeEventListener("online", wake);
        resolve();
      }
    });
  }

  #set(state) {
    if (["sending", "checking", "accepted"].includes(state) && this.state !== state) this.problem = "";
    this.state = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
