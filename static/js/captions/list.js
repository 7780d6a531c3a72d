// The list of captions: which of them are selected, and where to go with them. A button of the bar with `data-to` leads
// there with the selection; another one needs its action here.

import { Keys } from "../lib/keys.js";
import { number } from "../review/words.js";
import { Ticks } from "./ticks.js";

class CaptionList {
  #all = false;

  constructor(bar, page) {
    this.bar = bar;
    this.page = page;
    this.ticks = new Ticks(document.getElementById("caption-list"));
    this.keys = new Keys();
  }

  start() {
    this.ticks.addEventListener("change", () => { this.#all = false; this.#show(); });
    const does = {
      page: () => this.ticks.choose(this.ticks.items),
      all: () => { this.ticks.choose(this.ticks.items); this.#all = true; this.#show(); },
      none: () => this.ticks.choose([]),
    };
    const bound = {};
    for (const button of this.bar.querySelectorAll("[data-action]")) {
      const work = button.dataset.to ? () => this.#go(button) : does[button.dataset.action];
      const act = () => { if (!button.disabled) work(); };
      button.addEventListener("click", () => this.keys.run(act));
      bound[button.getAttribute("aria-keyshortcuts")] = act;
    }
    this.keys.open(bound);
    // Coming back, the browser has ticked the boxes again.
    addEventListener("pageshow", () => this.#show());
    this.#show();
    this.bar.dataset.started = "true";
  }

  #go(button) {
    const asked = new URLSearchParams(this.#all ? this.page.filter : "");
    if (!this.#all) asked.set("only", this.ticks.chosen.map(({ value }) => value).join(","));
    if (button.dataset.do) asked.set("do", button.dataset.do);
    location.assign(`${button.dataset.to}?${asked}`);
  }

  #show() {
    const chosen = this.ticks.chosen.length;
    const words = this.#all ? "All that match" : chosen ? `${number(chosen)} selected` : "None selected";
    this.bar.querySelector("[data-part=chosen]").textContent = words;
    for (const button of this.bar.querySelectorAll("[data-needs-chosen]")) button.disabled = !chosen;
  }
}

const data = document.getElementById("caption-list-page");
const bar = document.getElementById("caption-bar");
if (data && bar) new CaptionList(bar, JSON.parse(data.textContent)).start();
