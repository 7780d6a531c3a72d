// The history of the caption on the screen, in a drawer; read only while it is open. Inside, arrows go from version to
// version, Enter restores the one that has the focus, and h or Escape goes back to the caption.

import { mountHistory } from "../captions/history.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class Drawer {
  #index = undefined;

  /** details: the element. options: of mountHistory. wanted(): the tile on the screen, or undefined. */
  constructor(details, { wanted, ...options }) {
    this.details = details;
    this.list = details.querySelector("[data-part=history-list]");
    this.wanted = wanted;
    this.options = { ...options, onRestored: (caption) => this.#restored(caption, options) };
    details.addEventListener("toggle", () => this.follow());
    details.addEventListener("keydown", (event) => this.#pressed(event));
  }

  toggle() {
    this.details.open = !this.details.open;
    if (this.details.open) this.#summary.focus();
    else document.activeElement?.blur();
  }

  /** Show the history of the caption that is on the screen now, if the drawer is open. */
  follow() {
    const index = this.details.open ? this.wanted() : undefined;
    if (this.#index === index) return;
    this.#index = index;
    this.list.replaceChildren();
    if (index !== undefined) mountHistory(this.list, { ...this.options, index });
  }

  /** The button that was pressed is gone with the list it stood in. */
  #restored(caption, { onRestored }) {
    if (this.details.open) this.#summary.focus();
    onRestored(caption);
  }

  get #summary() {
    return this.details.querySelector("summary");
  }

  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") this.toggle();
    else if (event.key in STEPS) this.#step(STEPS[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** To the button before or after the one that has the focus; from the first of them up to the summary. */
  #step(by) {
    const stops = [this.#summary, ...this.list.querySelectorAll("button:not([hidden])")];
    const at = stops.indexOf(document.activeElement);
    stops[Math.min(Math.max(at + by, 0), stops.length - 1)].focus();
  }
}
