// The history of the caption on the screen, in a drawer; read only while it is open.

import { mountHistory } from "../captions/history.js";

export class Drawer {
  #index = undefined;

  /** details: the element. options: of mountHistory. wanted(): the tile on the screen, or undefined. */
  constructor(details, { wanted, ...options }) {
    this.details = details;
    this.list = details.querySelector("[data-part=history-list]");
    this.wanted = wanted;
    this.options = options;
    details.addEventListener("toggle", () => this.follow());
  }

  toggle() {
    this.details.open = !this.details.open;
    if (this.details.open) this.details.querySelector("summary").focus();
  }

  /** Show the history of the caption that is on the screen now, if the drawer is open. */
  follow() {
    const index = this.details.open ? this.wanted() : undefined;
    if (this.#index === index) return;
    this.#index = index;
    this.list.replaceChildren();
    if (index !== undefined) mountHistory(this.list, { ...this.options, index });
  }
}
