// Which tag, or which person: asked before either is noted about what is selected.

import { onLeaving } from "../lib/dom.js";

export class MarkDialog {
  #tell = null;

  /** kind: tag or assign. The dialog has one form with a field `value`, and for tags buttons `on`. */
  constructor(dialog, keys, kind) {
    this.dialog = dialog;
    this.keys = keys;
    this.kind = kind;
    this.form = dialog.querySelector("form");
    onLeaving(dialog, () => this.#closed(null));
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const on = kind !== "tag" || event.submitter?.value !== "";
      this.#closed({ what: { kind, value: this.form.elements.value.value, on }, words: this.#words(on) });
    });
  }

  /** Resolves with {what, words}: what to send, and what the tiles will be; null when the dialog was left. */
  ask() {
    const asked = new Promise((resolve) => { this.#tell = resolve; });
    this.closeKeys = this.keys.open({});
    this.dialog.showModal();
    this.form.elements.value.focus();
    this.form.elements.value.select?.();
    return asked;
  }

  #words(on) {
    const { value } = this.form.elements;
    if (this.kind === "tag") return on ? `tagged ${value.value.trim()}` : `without the tag ${value.value.trim()}`;
    return value.value ? `assigned to ${value.selectedOptions[0].textContent}` : "assigned to nobody";
  }

  #closed(answer) {
    const tell = this.#tell;
    this.#tell = null;
    this.closeKeys?.();
    this.closeKeys = null;
    if (this.dialog.open) this.dialog.close();
    tell?.(answer);
  }
}
