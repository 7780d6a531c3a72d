// One layer on another in a pane of its own: blended, swiped, blinking in turn, or the edges of one on the other.

import { Edges } from "./edges.js";

export const MODES = ["off", "blend", "swipe", "blink", "edges"];
// Changes a second. Two changes are one flash, and three flashes a second are the most that is safe (WCAG 2.3.1).
export const RATES = [0, 0.5, 1, 2, 4];
const STEP = 0.05;

/** Events: `change` and `turn`, when it must be drawn anew; `settings`, when what is to be remembered is another. */
export class Overlay extends EventTarget {
  #edges = new Edges();
  #timer = 0;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  mode = "off";
  below = "";
  above = "";
  share = 0.5;
  rate = 1;
  // Blinking: whether the upper one is on the screen now.
  turned = true;

  constructor() {
    super();
    this.#still.addEventListener("change", () => this.#restart());
  }

  get on() {
    return this.mode !== "off";
  }

  /** Whether nothing may move by itself. */
  get still() {
    return this.#still.matches;
  }

  get settings() {
    const { mode, below, above, share, rate } = this;
    return { mode, below, above, share, rate };
  }

  /** Take over what was remembered, as far as it is still possible. */
  restore({ mode, below, above, share, rate }) {
    if (MODES.includes(mode)) this.mode = mode;
    if (RATES.includes(rate)) this.rate = rate;
    if (share >= 0 && share <= 1) this.share = share;
    this.below = below ?? "";
    this.above = above ?? "";
    this.#restart();
  }

  /** The two layers among the chosen ones; null when there are not two. */
  pair(chosen) {
    if (chosen.length < 2) return null;
    const below = chosen.includes(this.below) ? this.below : chosen.find((layer) => layer !== this.above);
    const above = chosen.includes(this.above) && this.above !== below ? this.above : chosen.find((layer) => layer !== below);
    return [below, above];
  }

  cycle() {
    this.set({ mode: MODES[(MODES.indexOf(this.mode) + 1) % MODES.length] });
  }

  /** Change any of mode, below, above, rate. */
  set(changes) {
    Object.assign(this, changes);
    this.#restart();
    this.dispatchEvent(new Event("change"));
    this.settle();
  }

  /** A key's step: the slider to one side or the other, or the other picture. */
  step(direction) {
    if (this.mode === "blink") this.turn();
    else if (this.mode === "blend" || this.mode === "swipe") {
      this.slide(Math.round((this.share + direction * STEP) / STEP) * STEP);
      this.settle();
    }
  }

  /** Where the slider is while it moves; to be remembered only once it is let go. */
  slide(share) {
    this.share = Math.min(1, Math.max(0, share));
    this.dispatchEvent(new Event("change"));
  }

  settle() {
    this.dispatchEvent(new Event("settings"));
  }

  /** Show the other of the two. */
  turn() {
    this.turned = !this.turned;
    this.dispatchEvent(new Event("turn"));
  }

  /**
   * Draw in image pixels. below, above: bitmaps. divider: image column of a swipe. For edges: heights of the upper one
   * where it shows heights, else null, and the colour [r, g, b] to draw in.
   */
  paint(context, { below, above, heights, colour, divider }) {
    const { width, height } = below;
    if (this.mode === "blink") {
      context.drawImage(this.turned ? above : below, 0, 0, width, height);
      return;
    }
    context.drawImage(below, 0, 0);
    context.save();
    if (this.mode === "blend") context.globalAlpha = this.share;
    if (this.mode === "swipe") {
      context.beginPath();
      context.rect(0, 0, divider, height);
      context.clip();
    }
    context.drawImage(this.mode === "edges" ? this.#edges.of(above, heights, colour) : above, 0, 0, width, height);
    context.restore();
  }

  /** Find the edges of a bitmap that is not drawn yet; heights and colour as for paint. */
  prepare(above, { heights, colour }) {
    this.#edges.of(above, heights, colour);
  }

  #restart() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.turned = true;
    if (this.mode === "blink" && this.rate && !this.still) this.#timer = setInterval(() => this.turn(), 1000 / this.rate);
  }
}
