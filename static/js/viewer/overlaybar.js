// The controls of the overlay: which two layers, how much of which, how fast.

import { el } from "../lib/dom.js";
import { RATES } from "./overlay.js";

const NAMES = { off: "off", blend: "blend", swipe: "swipe", blink: "blink", edges: "edges" };
const SLIDES = { blend: "Share of the upper", swipe: "Place of the edge" };

export class OverlayBar {
  /** bar: the element. button: the one that names the mode. */
  constructor(bar, button, overlay, layers) {
    this.bar = bar;
    this.button = button;
    this.overlay = overlay;
    this.layers = layers;
    const part = (name) => bar.querySelector(`[data-part=${name}]`);
    this.below = part("below");
    this.above = part("above");
    this.slider = part("share");
    this.rate = part("rate");
    this.rate.append(...RATES.map((rate) => el("option", { value: rate }, rate ? `${rate} a second` : "by key")));
    this.below.addEventListener("change", () => this.#choose("below", "above"));
    this.above.addEventListener("change", () => this.#choose("above", "below"));
    this.slider.addEventListener("input", () => overlay.slide(Number(this.slider.value)));
    this.slider.addEventListener("change", () => overlay.settle());
    this.rate.addEventListener("change", () => overlay.set({ rate: Number(this.rate.value) }));
  }

  /** The layer that was the other one takes its place. */
  #choose(one, other) {
    const pair = this.overlay.pair(this.layers.chosen);
    const was = { below: pair[0], above: pair[1] };
    const layer = this[one].value;
    this.overlay.set({ [one]: layer, [other]: was[other] === layer ? was[one] : was[other] });
  }

  render() {
    const { mode, share, rate, still } = this.overlay;
    const pair = this.overlay.pair(this.layers.chosen);
    this.bar.hidden = mode === "off" || !pair;
    this.button.querySelector("[data-part=mode]").textContent = NAMES[mode];
    this.button.setAttribute("aria-pressed", String(mode !== "off"));
    if (this.bar.hidden) return;
    this.#options(this.below, pair[0]);
    this.#options(this.above, pair[1]);
    for (const element of this.bar.querySelectorAll("[data-for]")) {
      element.hidden = !element.dataset.for.split(" ").includes(mode);
    }
    this.slider.value = share;
    if (SLIDES[mode]) this.slider.setAttribute("aria-label", SLIDES[mode]);
    this.slider.setAttribute("aria-valuetext", `${Math.round(100 * share)} %`);
    this.rate.value = still ? 0 : rate;
    this.rate.disabled = still;
  }

  #options(select, chosen) {
    const wanted = this.layers.chosen.join();
    if (select.dataset.layers !== wanted) {
      select.replaceChildren(...this.layers.chosen.map((layer) => el("option", { value: layer }, this.layers.label(layer))));
      select.dataset.layers = wanted;
    }
    select.value = chosen;
  }
}
