// What people note about a tile beside their verdicts: a flag of one's own, comments, tags. Asks the server at once; what
// was typed stays in its dialog until the server has it.

import { el, onLeaving } from "../lib/dom.js";
import { Failure, request } from "../lib/http.js";
import { uuid } from "../lib/ids.js";
import { clock } from "./words.js";

const NONE = { flagged: false, tags: [], assigned: "", comments: [] };

export class Marks {
  #item = null;

  /** say(text, {urgent}) tells the person; refresh(index) reads a tile again. */
  constructor({ keys, page, say, refresh }) {
    Object.assign(this, { keys, page, say, refresh });
    this.root = document.getElementById("marks");
    this.note = new Asking(document.getElementById("note-dialog"), keys);
    this.tags = new Asking(document.getElementById("tags-dialog"), keys);
  }

  show(item) {
    this.#item = item;
    if (!this.root) return;
    const { flagged, tags, assigned, comments } = item?.marks ?? NONE;
    this.root.querySelector("[data-action=flag]").setAttribute("aria-pressed", String(flagged));
    this.#part("assigned").textContent = assigned ? `Assigned to ${assigned}.` : "";
    this.#part("assigned").hidden = !assigned;
    this.#part("tags").replaceChildren(...tags.map((word) => el("li", { class: "tag" }, word)));
    this.#part("comments").replaceChildren(...comments.map(lineOf));
    this.root.dataset.tile = item?.index ?? "";
  }

  async toggleFlag() {
    const item = this.#item;
    if (!item?.marks) return;
    const flagged = !item.marks.flagged;
    try {
      const marks = await request(`${this.#address(item)}flag/`, { method: "PUT", body: { flagged }, person: this.page.person.id });
      this.#changed(item, marks);
      this.say(flagged ? `${item.name} is flagged for later.` : `${item.name} is no longer flagged.`);
    } catch (failure) {
      this.#failed(failure);
    }
  }

  writeNote() {
    const item = this.#item;
    if (!item?.marks || !this.note.dialog) return;
    const body = { client_id: uuid() };
    this.note.open(async (form) => {
      body.text = form.elements.text.value;
      const comment = await request(`${this.#address(item)}comments/`, { method: "POST", body, person: this.page.person.id });
      this.#changed(item, { ...item.marks, comments: [comment, ...item.marks.comments] });
      this.say(`Your comment on ${item.name} is kept.`);
      return true;
    });
  }

  editTags() {
    const item = this.#item;
    if (!item?.marks || !this.tags.dialog) return;
    this.#renderWorn(item);
    this.tags.open(async (form) => {
      const field = form.elements.word;
      await this.#tag(item, field.value, true);
      this.say(`${item.name} is tagged ${field.value.trim()}.`);
      field.value = "";
      field.focus();
      return false;
    });
  }

  #renderWorn(item) {
    const off = (word) => this.tags.attempt(async () => {
      await this.#tag(item, word, false);
      this.tags.form.elements.word.focus();
    });
    const tags = item.marks.tags.map((word) => el(
      "li",
      {},
      el("button", { type: "button", class: "tag", "aria-label": `Take off ${word}`, onclick: () => off(word) }, word, el("span", { "aria-hidden": "true" }, " ✕")),
    ));
    this.tags.dialog.querySelector("[data-part=worn]").replaceChildren(...tags);
  }

  async #tag(item, value, on) {
    const tiles = [{ index: item.index, version: item.version }];
    const body = { action: uuid(), kind: "tag", value, on, tiles };
    await request(this.page.urls.marks, { method: "POST", body, person: this.page.person.id });
    await this.refresh(item.index);
    if (this.#item?.index === item.index) this.show(this.#item);
    this.#renderWorn(item);
  }

  #changed(item, marks) {
    item.marks = marks;
    if (this.#item?.index === item.index) this.show(this.#item);
  }

  #failed(failure) {
    if (!(failure instanceof Failure)) throw failure;
    this.say(`Not kept. ${failure.message}`, { urgent: true });
  }

  #address(item) {
    return `${this.page.urls.tiles}${item.index}/`;
  }

  #part(name) {
    return this.root.querySelector(`[data-mark=${name}]`);
  }
}

/** A dialog with one form. It closes when the answer to what was sent is true. */
class Asking {
  constructor(dialog, keys) {
    this.dialog = dialog;
    this.keys = keys;
    if (!dialog) return;
    this.form = dialog.querySelector("form");
    onLeaving(dialog, () => this.#closed());
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.attempt(async () => {
        if (!(await this.onSend?.(this.form))) return;
        this.#closed();
        dialog.close();
      });
    });
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
  }

  open(onSend) {
    this.onSend = onSend;
    this.form.reset();
    this.#problem("");
    this.closeKeys = this.keys.open({});
    this.dialog.showModal();
    this.form.querySelector("textarea, input").focus();
  }

  /** One at a time; a failure is said in the dialog, and what was typed stays. */
  async attempt(send) {
    if (this.busy) return;
    this.busy = true;
    this.#problem("");
    try {
      await send();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#problem(`Not kept yet. ${failure.message}`);
    } finally {
      this.busy = false;
    }
  }

  #problem(text) {
    const shown = this.dialog.querySelector("[data-part=problem]");
    shown.textContent = text;
    shown.hidden = !text;
  }

  #closed() {
    this.closeKeys?.();
    this.closeKeys = null;
  }
}

function lineOf({ by, at, text }) {
  return el("li", {}, el("p", { class: "soft" }, `${by}, ${clock(at)}`), el("p", { class: "break" }, text));
}
