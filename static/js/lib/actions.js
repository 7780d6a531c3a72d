// What is done to many things is one action with an id of this browser's: sent again after a failure it counts once, and
// it is undone as one.

import { Failure, request } from "./http.js";
import { uuid } from "./ids.js";
import { remembered } from "../review/address.js";

const POLL = 700;

export class Actions {
  #unanswered = null;

  /** page: {filter, person, urls: {count, bulk, undo, jobs}}. key: what this tab remembers its actions under. */
  constructor(page, key) {
    this.page = page;
    this.key = key;
  }

  /** Ids of this tab's actions that can be undone, the last one last. */
  get done() {
    return JSON.parse(remembered("sessionStorage", this.key) ?? "[]");
  }

  #keep(ids) {
    remembered("sessionStorage", this.key, JSON.stringify(ids));
  }

  /** How many match the filter: {count, capped, at}. */
  count(exact = false) {
    const asked = new URLSearchParams(this.page.filter);
    if (exact) asked.set("exact", "1");
    return request(`${this.page.urls.count}?${asked}`, { timeout: 120_000 });
  }

  /** what: all of the request but its id. Resolves with the outcome. */
  async decide(what, onProgress) {
    const action = this.#idOf(what);
    const answer = await this.#send(this.page.urls.bulk, { ...what, action });
    this.#keep([...this.done.filter((id) => id !== action), action]);
    return this.#outcome(answer, onProgress);
  }

  /** Undo the last action of this tab; null when there is none. */
  async undo(onProgress) {
    const action = this.done.at(-1);
    if (!action) return null;
    const undo = this.#idOf({ action });
    const answer = await this.#send(this.page.urls.undo, { action, undo });
    this.#keep(this.done.filter((id) => id !== action));
    return this.#outcome(answer, onProgress);
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

