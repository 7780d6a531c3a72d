// One pixel of one row of panes that all panes of the row point at: it follows the mouse until it is pinned.

/** Event: `change`, when the pixel, the row or the pin is another. */
export class Crosshair extends EventTarget {
  pixel = null;
  row = 0;
  pinned = false;

  /** pixel: {col, row}, or null when nothing is pointed at. A pinned cross-hair stays. */
  point(pixel, row = this.row) {
    if (!this.pinned) this.#set(pixel, row, false);
  }

  pin(pixel, row = this.row) {
    this.#set(pixel, row, true);
  }

  unpin() {
    this.#set(this.pixel, this.row, false);
  }

  /** By whole pixels, within an image of this size; from `start` when nothing was pointed at. */
  move(cols, rows, { width, height }, start) {
    const from = this.pixel ?? start;
    const col = Math.min(width - 1, Math.max(0, from.col + cols));
    const row = Math.min(height - 1, Math.max(0, from.row + rows));
    this.#set({ col, row }, this.row, this.pinned);
  }

  #set(pixel, row, pinned) {
    const same = pixel?.col === this.pixel?.col && pixel?.row === this.pixel?.row;
    if (same && row === this.row && pinned === this.pinned) return;
    this.pixel = pixel;
    this.row = row;
    this.pinned = Boolean(pixel) && pinned;
    this.dispatchEvent(new Event("change"));
  }
}
