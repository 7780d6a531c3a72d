// The components of a caption as chips: terms, category and weather, each edited by itself.

import { el } from "../lib/dom.js";

/** Components with every name in one order, so that equal ones are equal as JSON. */
export function componentsOf({ terms = [], category = "", weather = "", prompt } = {}) {
  return prompt ? { terms, category, weather, prompt } : { terms, category, weather };
}

export class Parts {
  #components = componentsOf();

  /** onChange(components); onLeave(): whoever edited one is through with it. */
  constructor(root, { onChange, say }) {
    this.root = root;
    this.onChange = onChange;
    this.say = say;
    this.term = this.#part("term");
    this.category = this.#part("category");
    this.weather = this.#part("weather");
    this.term.addEventListener("keydown", (event) => this.#termKey(event));
    this.category.addEventListener("input", () => this.#set({ category: this.category.value.trim() }));
    this.weather.addEventListener("change", () => this.#set({ weather: this.weather.value }));
    for (const field of [this.category, this.weather]) field.addEventListener("keydown", (event) => leaving(event, field));
  }

  show(components) {
    this.#components = componentsOf(components);
    this.term.value = "";
    if (this.category.value.trim() !== this.#components.category) this.category.value = this.#components.category;
    this.weather.value = this.#components.weather;
    this.#draw();
  }

  /** Put what is typed among the terms and not entered yet there, too. */
  enter() {
    const term = this.term.value.trim().toLowerCase().replace(/\s+/g, " ");
    this.term.value = "";
    if (!term || this.#components.terms.includes(term)) return;
    this.say(`Term ${term} added.`);
    this.#set({ terms: [...this.#components.terms, term] });
  }

  #termKey(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && this.term.value.trim()) {
      event.preventDefault();
      event.stopPropagation();
      this.enter();
    } else if (event.key === "Backspace" && !this.term.value) {
      event.preventDefault();
      this.#remove(this.#components.terms.at(-1));
    } else {
      leaving(event, this.term);
    }
  }

  #remove(term) {
    if (term === undefined) return;
    this.say(`Term ${term} taken off.`);
    this.#set({ terms: this.#components.terms.filter((other) => other !== term) });
  }

  #set(changes) {
    this.#components = componentsOf({ ...this.#components, ...changes });
    this.#draw();
    this.onChange(this.#components);
  }

  #draw() {
    const chips = this.#components.terms.map((term) =>
      el("li", {}, el("button", { type: "button", "aria-label": `Take off the term ${term}`, onclick: () => this.#off(term) }, term, " ×")),
    );
    this.#part("terms").replaceChildren(...chips);
  }

  #off(term) {
    this.#remove(term);
    this.term.focus();
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }
}

/** Enter and Escape leave a field; what it holds stays. */
function leaving(event, field) {
  const saves = event.ctrlKey || event.metaKey;
  if (event.isComposing || saves || !["Enter", "Escape"].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  field.blur();
}
