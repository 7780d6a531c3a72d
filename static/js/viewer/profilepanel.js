// The profile: a line is drawn over a tile, and the heights along it stand below the pictures.

import { Chart } from "./chart.js";
import { profileOf } from "./profile.js";

const METRES = new Intl.NumberFormat("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const IDLE = "Draw a line over a picture with the mouse, or mark its two ends with the cross-hair.";
const STARTED = "The line starts here. Move the cross-hair to its other end and mark that.";

/** Events: `change`, when the line is another; `point`, detail {col, row} or null: what the person follows on the line. */
export class ProfilePanel extends EventTarget {
  #profile = null;
  #started = false;

  from = null;
  to = null;
  row = 0;

  constructor(section, layers) {
    super();
    this.section = section;
    this.layers = layers;
    const part = (name) => section.querySelector(`[data-part=${name}]`);
    this.hint = part("profile-hint");
    this.words = part("profile-words");
    this.walk = part("profile-walk");
    this.chart = new Chart(section.querySelector("svg"));
    this.chart.addEventListener("point", ({ detail }) => this.#follow(detail));
    this.walk.addEventListener("input", () => this.#follow(Number(this.walk.value)));
  }

  get isOpen() {
    return !this.section.hidden;
  }

  /** The two ends on this row of panes, or null. */
  lineOf(row) {
    return this.isOpen && this.from && row === this.row ? [this.from, this.to] : null;
  }

  open() {
    this.section.hidden = false;
    this.from = this.to = null;
    this.#started = false;
  }

  close() {
    this.section.hidden = true;
    this.#changed();
  }

  /** Start a line at a pixel of a row; its end follows until it is marked or finished. */
  begin(pixel, row) {
    if (!pixel) return;
    this.from = this.to = pixel;
    this.row = row;
    this.#started = true;
    this.#changed();
  }

  extend(pixel, row) {
    if (!this.#started || !pixel || row !== this.row) return;
    this.to = pixel;
    this.#changed();
  }

  finish() {
    this.#started = false;
    this.#changed();
  }

  /** One end, then the other. Returns whether the line goes on. */
  mark(pixel, row) {
    if (this.#started && row === this.row) {
      this.extend(pixel, row);
      this.finish();
    } else this.begin(pixel, row);
    return this.#started;
  }

  /** item: the tile of the line's row. The same line over another tile is another profile. */
  render(item) {
    if (!this.isOpen) return;
    const heights = item && this.layers.heights(item);
    const drawn = this.from && (this.from.col !== this.to.col || this.from.row !== this.to.row);
    this.#profile = drawn && heights ? profileOf(heights, this.from, this.to) : null;
    this.section.classList.toggle("drawn", Boolean(this.#profile));
    if (drawn && !heights) this.hint.textContent = "The heights of this tile are not here.";
    else this.hint.textContent = this.#started && !drawn ? STARTED : IDLE;
    if (!this.#profile) return;
    this.words.textContent = wordsOf(this.#profile);
    this.walk.max = this.#profile.samples.length - 1;
    this.chart.show(this.#profile);
    this.chart.svg.setAttribute("aria-label", `Heights along the line. ${this.words.textContent}`);
  }

  /** Mark on the chart where the cross-hair is, if it is on the line. */
  point(pixel) {
    const { samples = [] } = this.#profile ?? {};
    const at = pixel ? samples.findIndex(({ col, row }) => col === pixel.col && row === pixel.row) : -1;
    this.chart.point(at < 0 ? null : at);
    if (at < 0) return;
    this.walk.value = at;
    const { height } = samples[at];
    const metres = Number.isNaN(height) ? "no height" : `${METRES.format(height)} metres`;
    this.walk.setAttribute("aria-valuetext", `${Math.round(samples[at].at)} metres along: ${metres}`);
  }

  #follow(number) {
    const { col, row } = (number === null ? null : this.#profile?.samples[number]) ?? {};
    this.dispatchEvent(new CustomEvent("point", { detail: col === undefined ? null : { col, row } }));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function wordsOf({ length, low, high, mean, slope }) {
  const parts = [["length", `${METRES.format(length)} m`]];
  if (low !== null) {
    for (const [name, value] of [["lowest", low], ["highest", high], ["mean", mean]]) {
      parts.push([name, `${METRES.format(value)} m`]);
    }
  }
  if (slope !== null) parts.push(["mean slope", `${METRES.format(slope)}°`]);
  return parts.map((part) => part.join(" ")).join(", ");
}
