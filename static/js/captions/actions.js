// What this tab did to many captions, so that it can be taken back, the last first, over reloads too.

import { Actions } from "../lib/actions.js";
import { remembered } from "../review/address.js";

export class TabActions extends Actions {
  /** key: what this tab remembers its actions under. */
  constructor(page, key) {
    super(page);
    this.key = key;
  }

  /** Ids of this tab's actions that can be undone, the last one last. */
  get done() {
    return JSON.parse(remembered("sessionStorage", this.key) ?? "[]");
  }

  sent(action) {
    this.#keep([...this.done.filter((id) => id !== action), action]);
  }

  taken(action) {
    this.#keep(this.done.filter((id) => id !== action));
  }

  /** Undo the last action of this tab; null when there is none. */
  async undoLast(onProgress) {
    const action = this.done.at(-1);
    return action ? this.undo({ action }, onProgress) : null;
  }

  #keep(ids) {
    remembered("sessionStorage", this.key, JSON.stringify(ids));
  }
}
