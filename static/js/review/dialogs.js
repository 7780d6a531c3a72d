// The dialogs of the review page. Each resolves with what was chosen, or null; its keys count while it is open.

import { onLeaving } from "../lib/dom.js";

/** Why a tile is rejected: one key a reason, and a note where the reason wants one. */
export class ReasonDialog {
  constructor(dialog, keys, reasons) {
    this.dialog = dialog;
    this.keys = keys;
    this.reasons = reasons;
    this.list = dialog.querySelector("[data-part=reasons]");
    this.form = dialog.querySelector("form");
    this.note = this.form.elements.note;
    onLeaving(dialog, () => this.#closed());
    for (const button of this.list.querySelectorAll("[data-reason]")) {
      button.addEventListener("click", () => keys.run(() => this.#choose(this.#reason(button.dataset.reason))));
    }
    this.form.addEventListener("submit", (event) => this.#noted(event));
    for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** onChoice({reason, note}) is called at most once; not at all when the dialog is left. */
  open(onChoice) {
    this.onChoice = onChoice;
    this.#part("list");
    const bindings = Object.fromEntries(this.reasons.map((reason) => [reason.key, () => this.#choose(reason)]));
    this.closeKeys = this.keys.open({ ...bindings, ...this.#arrows() });
    this.dialog.showModal();
    this.list.querySelector("button").focus();
  }

  #reason(code) {
    return this.reasons.find((reason) => reason.code === code);
  }

  #arrows() {
    const step = (by) => () => {
      const buttons = [...this.list.querySelectorAll("button")];
      const at = buttons.indexOf(document.activeElement);
      buttons[(at + by + buttons.length) % buttons.length].focus();
    };
    return { ArrowDown: step(1), ArrowUp: step(-1), ArrowRight: step(1), ArrowLeft: step(-1) };
  }

  #choose(reason) {
    if (!reason.needs_note) return this.#done({ reason: reason.code, note: "" });
    this.chosen = reason;
    this.#part("note");
    this.note.value = "";
    this.note.focus();
    return undefined;
  }

  #noted(event) {
    event.preventDefault();
    const note = this.note.value.trim();
    if (note) this.keys.run(() => this.#done({ reason: this.chosen.code, note }));
  }

  #done(choice) {
    const tell = this.onChoice;
    this.#closed();
    this.dialog.close();
    return tell?.(choice);
  }

  #part(name) {
    this.list.hidden = name !== "list";
    this.form.hidden = name !== "note";
  }

  /** Also called before the dialog's own, later event: the next key belongs to the page already. */
  #closed() {
    this.closeKeys?.();
    this.closeKeys = null;
    this.onChoice = null;
  }
}

/** A number to jump to. */
export class JumpDialog {
  constructor(dialog, keys) {
    this.dialog = dialog;
    this.keys = keys;
    this.form = dialog.querySelector("form");
    this.number = this.form.elements.number;
    onLeaving(dialog, () => this.closeKeys?.());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.closeKeys();
      this.dialog.close();
      this.keys.run(() => this.onNumber(Number(this.number.value)));
    });
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  }

  open(current, onNumber) {
    this.onNumber = onNumber;
    this.closeKeys = this.keys.open({});
    this.dialog.showModal();
    this.number.value = current ?? "";
    this.number.select();
  }
}
