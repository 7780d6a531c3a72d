// Taking back what a person did last: at once when it is about few tiles, else after a question.

import { onLeaving } from "../lib/dom.js";
import { Failure } from "../lib/http.js";
import { VERB_WORDS, clock, number, plural } from "./words.js";

const FEW = 20;

export class UndoDialog {
  #yes = null;

  constructor(dialog, keys) {
    this.dialog = dialog;
    this.keys = keys;
    onLeaving(dialog, () => this.#closed());
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    this.button = dialog.querySelector("[data-part=undo-yes]");
    this.button.addEventListener("click", () => {
      const yes = this.#yes;
      this.#closed();
      this.dialog.close();
      yes?.();
    });
  }

  /** Call `yes` with no question for an action about few tiles, else when the person agrees. */
  ask(action, yes) {
    if (action.count <= FEW && !action.capped) {
      yes();
      return;
    }
    const tiles = action.count ? `${action.capped ? "more than " : ""}${plural(action.count, "tile")}` : "all that match";
    const when = action.newest ? `, ${clock(action.newest.at)}` : "";
    const what = `${VERB_WORDS[action.verb] ?? action.verb} ${tiles}${when}`;
    this.dialog.querySelector("[data-part=undo-text]").textContent =
      `Your last action: ${what}. Tiles that somebody decided about since stay as they are.`;
    this.#yes = yes;
    this.closeKeys = this.keys.open({});
    this.dialog.showModal();
    this.button.focus();
  }

  #closed() {
    this.#yes = null;
    this.closeKeys?.();
    this.closeKeys = null;
  }
}

/** Undo of actions that the server has to be asked about, on the review page. */
export class TakingBack {
  #busy = false;

  constructor(dialog, keys, actions) {
    this.dialog = new UndoDialog(dialog, keys);
    this.actions = actions;
  }

  /** The newest action once all is sent; null, and said why, when there is none to be had. */
  async newest(outbox, say) {
    if (this.#busy) {
      say("The last undo is still at work.");
      return null;
    }
    await outbox.settled();
    try {
      if (outbox.waiting.length) throw outbox.failure;
      const found = await this.actions.newest();
      if (!found) say("There is nothing of yours to undo here.");
      return found;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      say(`Not undone. ${failure.message}`);
      return null;
    }
  }

  /** Take it back, after a question when it is large. Keys go on meanwhile; `done` is told in words what became of it. */
  ask(newest, say, done) {
    this.dialog.ask(newest, async () => {
      this.#busy = true;
      try {
        const progress = (job) => say(`${job.title}: ${number(job.done)} of ${job.total ? number(job.total) : "…"}`);
        await done(outcomeWords(await this.actions.undo(newest, progress), "undone"));
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        say(`Not undone. ${failure.message}`);
      } finally {
        this.#busy = false;
      }
    });
  }
}

/** What became of many tiles, in a sentence or three. outcome: as Actions gives it. */
export function outcomeWords({ done, stale, unchanged, problem = "" }, words) {
  const parts = [`${plural(done, "tile")} ${words}.`];
  if (stale) parts.push(`${number(stale)} left as ${stale === 1 ? "it is" : "they are"}: changed meanwhile by somebody else.`);
  if (unchanged) parts.push(`${number(unchanged)} stood so already.`);
  return [...parts, problem].join(" ").trim();
}
