// What is done to many things is one action with an id of this browser's: sent again after a failure it counts once, and
// it is undone as one.

import { Failure, request } from "./http.js";
import { uuid } from "./ids.js";

const POLL = 700;

export class Actions {
  #unanswered = null;
  #undoing = null;

  /** page: {filter, person, urls: {count, bulk, marks, undo, jobs}}; what only undoes needs urls of undo and jobs alone. */
  constructor(page) {
    this.page = page;
  }

  /** How many match the filter: {count, capped, at}. */
  count(exact = false) {
    const asked = new URLSearchParams(this.page.filter);
    if (exact) asked.set("exact", "1");
    return request(`${this.page.urls.count}?${asked}`, { timeout: 120_000 });
  }

  /** what: all of the request but its id; with a `kind` it is about marks. Resolves with the outcome. */
  async decide(what, onProgress) {
    const action = this.#idOf(what);
    const answer = await this.#send(what.kind ? this.page.urls.marks : this.page.urls.bulk, { ...what, action });
    this.sent(action);
    return this.#outcome(answer, onProgress);
  }

  /**
   * The person's newest action that stands, {action, verb, count, capped, newest}, wherever it was made; null when there
   * is none. While nobody knows what became of an undo it is still that one's: a repeat must not take back one more.
   */
  async newest() {
    if (this.#undoing) return this.#undoing;
    const found = await request(this.page.urls.marks ? `${this.page.urls.undo}?marks=1` : this.page.urls.undo);
    return found.action ? found : null;
  }

  /** Told of an action that the server has, and of one that it has taken back. */
  sent(_action) {}

  taken(_action) {}

  /** Take back an action as `newest` gave it. */
  async undo(newest, onProgress) {
    const { action } = newest;
    const undo = this.#idOf({ action });
    this.#undoing = newest;
    try {
      const answer = await this.#send(this.page.urls.undo, { action, undo });
      this.#undoing = null;
      this.taken(action);
      return await this.#outcome(answer, onProgress);
    } catch (failure) {
      if (!failure.passing) this.#undoing = null;
      throw failure;
    }
  }

  /** The same id again for what was sent and not answered. */
  #idOf(what) {
    const words = JSON.stringify(what);
    if (this.#unanswered?.words !== words) this.#unanswered = { words, id: uuid() };
    return this.#unanswered.id;
  }

  async #send(url, body) {
    const answer = await request(url, { method: "POST", body, person: this.page.person, timeout: 60_000 });
    this.#unanswered = null;
    return answer;
  }

  /** A job is followed to its end. It goes on, and can be undone, when the page is left meanwhile. */
  async #outcome(answer, onProgress) {
    if (!answer.job) {
      const { done, stale, unchanged, refused = [] } = answer;
      return { done, stale: stale.length, unchanged: unchanged.length, refused: refused.length, places: stale };
    }
    return this.#outcomeOf(await this.#follow(answer.job, onProgress));
  }

  async #follow(number, onProgress) {
    for (;;) {
      const job = await this.#look(number);
      if (job) {
        onProgress(job);
        if (["done", "failed", "cancelled"].includes(job.state)) return job;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }

  /** A look that fails for the moment says nothing about the job. */
  async #look(number) {
    try {
      return await request(`${this.page.urls.jobs}${number}/`);
    } catch (failure) {
      if (failure instanceof Failure && failure.passing) return null;
      throw failure;
    }
  }

  #outcomeOf(job) {
    const failed = (code) => job.failures.find((line) => line.code === code)?.number ?? 0;
    return {
      done: job.done,
      stale: failed("changed_meanwhile"),
      unchanged: failed("stood_so_already"),
      refused: failed("cannot_be_so"),
      job: job.id,
      problem: job.state === "done" ? "" : job.error || `The job was ${job.state}.`,
    };
  }
}

