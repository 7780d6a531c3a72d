// The checkboxes of a list as a selection: a click with Shift, or an arrow with Shift, does to all between what was done
// to the first.

import { Selection } from "../lib/selection.js";

const BOX = "input[type=checkbox]";
const STEP = { ArrowDown: 1, ArrowUp: -1 };

export class Ticks extends Selection {
  constructor(list) {
    super([]);
    this.list = list;
    this.refresh();
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Boxes were added or removed. */
  refresh() {
    this.items = [...this.list.querySelectorAll(BOX)];
    if (!this.items.includes(this.anchor)) this.anchor = null;
  }

  isChosen(box) {
    return box.checked;
  }

  set(box, chosen) {
    box.checked = chosen;
  }

  #clicked(event) {
    const box = event.target.closest(BOX);
    if (!box) return;
    if (event.shiftKey && this.anchor) this.#same(box, box.checked);
    else this.anchor = box;
    this.tell("change");
  }

  #same(box, chosen) {
    for (const each of this.span(box)) this.set(each, chosen);
  }

  #pressed(event) {
    const box = event.target.closest(BOX);
    if (!box || !(event.key in STEP) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = this.items[this.items.indexOf(box) + STEP[event.key]];
    if (!next) return;
    next.focus();
    if (!event.shiftKey) return;
    this.anchor ??= box;
    this.#same(next, this.anchor.checked);
    this.tell("change");
  }
}
