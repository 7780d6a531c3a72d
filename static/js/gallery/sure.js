// The question before all tiles that match are decided about: how many they are.

import { onLeaving } from "../lib/dom.js";
import { number } from "../review/words.js";

export class SureDialog {
  #tell = null;

  constructor(dialog, keys, actions) {
    this.dialog = dialog;
    this.keys = keys;
    this.actions = actions;
    onLeaving(dialog, () => this.#closed(null));
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    this.#part("exact").addEventListener("click", () => this.#count(true));
    this.#part("yes").addEventListener("click", () => this.#closed(this.seen));
  }

  /** Resolves with {count, capped, at} as it was shown, or with null when the dialog was left. */
  ask(title, words) {
    this.words = words;
    this.#part("title").textContent = title;
    const asked = new Promise((resolve) => { this.#tell = resolve; });
    this.closeKeys = this.keys.open({});
    this.dialog.showModal();
    this.#count(false);
    return asked;
  }

  #part(name) {
    return this.dialog.querySelector(`[data-part=sure-${name}]`);
  }

  async #count(exact) {
    this.#part("text").textContent = "Counting …";
    this.#part("yes").disabled = true;
    this.#part("exact").hidden = true;
    try {
      this.seen = await this.actions.count(exact);
      const { count, capped } = this.seen;
      this.#part("text").textContent = `${capped ? "More than " : ""}${number(count)} ${count === 1 ? "tile" : "tiles"} will be ${this.words}. One undo takes all of it back. Tiles that somebody changes from now on are left alone.`;
      this.#part("exact").hidden = !capped;
      this.#part("yes").disabled = !count;
      this.#part("yes").focus();
    } catch (failure) {
      this.#part("text").textContent = `They could not be counted. ${failure.message}`;
    }
  }

  #closed(seen) {
    const tell = this.#tell;
    this.#tell = null;
    this.closeKeys?.();
    this.closeKeys = null;
    if (this.dialog.open) this.dialog.close();
    tell?.(seen);
  }
}
