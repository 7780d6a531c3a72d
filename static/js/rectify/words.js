// The text: a field to write in, a mirror behind it that underlines what is doubtful, the findings as sentences, and
// below them the words of a machine.

import { el } from "../lib/dom.js";
import { diffNodes } from "../captions/dom.js";

/** Where a finding's words stand in a text that may have been changed since: [from, to], or null when they are gone. */
export function placeOf({ words, start }, text) {
  if (!words) return null;
  const places = [];
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + 1)) places.push(at);
  if (!places.length) return null;
  const far = (at) => Math.abs(at - (start ?? 0));
  const from = places.reduce((best, at) => (far(at) < far(best) ? at : best));
  return [from, from + words.length];
}

export class Words {
  #findings = [];
  #marked = 0;

  /** onTyped(text). */
  constructor(root, { onTyped }) {
    this.root = root;
    this.field = this.#part("text");
    this.mirror = this.#part("mirror");
    this.field.addEventListener("input", () => {
      this.#reflect();
      onTyped(this.field.value);
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      this.field.blur();
    });
  }

  /** The finding that a key dismisses, or null. */
  get marked() {
    return this.#findings[this.#marked] ?? null;
  }

  show(text, findings) {
    if (this.field.value !== text) this.field.value = text;
    this.#findings = findings;
    this.#marked = 0;
    this.#draw();
  }

  write(text) {
    this.field.value = text;
    this.#reflect();
  }

  nextFinding() {
    this.#marked = this.#findings.length ? (this.#marked + 1) % this.#findings.length : 0;
    this.#draw();
    return this.marked;
  }

  focus() {
    this.field.focus();
    this.field.setSelectionRange(this.field.value.length, this.field.value.length);
  }

  /** What a machine said: name it, and show its words, plain or as a word diff to the text. */
  ghost(name, text, diff = []) {
    this.#part("ghost-part").hidden = !name;
    this.#part("ghost-name").textContent = name;
    this.#part("ghost").replaceChildren(...(diff.length ? diffNodes(diff) : [text]));
  }

  #draw() {
    const items = this.#findings.map((finding, at) =>
      el("li", { "aria-current": at === this.#marked && "true" }, finding.words && el("strong", {}, `“${finding.words}” `), finding.message),
    );
    this.#part("findings").replaceChildren(...items);
    this.#part("finding-tools").hidden = !items.length;
    this.#reflect();
  }

  #reflect() {
    const text = this.field.value;
    const places = this.#findings
      .map((finding, at) => ({ place: placeOf(finding, text), marked: at === this.#marked }))
      .filter(({ place }) => place)
      .sort((one, other) => one.place[0] - other.place[0]);
    const nodes = [];
    let done = 0;
    for (const { place: [from, to], marked } of places) {
      if (from < done) continue;
      nodes.push(text.slice(done, from), el("mark", { class: marked && "marked" }, text.slice(from, to)));
      done = to;
    }
    // A line end at the very end would not be drawn without something after it.
    this.mirror.replaceChildren(...nodes, `${text.slice(done)}\u200b`);
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }
}
