// Changing many captions: a preview of every change, each of which can be left out, then one action and one undo.

import { el } from "../lib/dom.js";
import { Failure, request } from "../lib/http.js";
import { Keys } from "../lib/keys.js";
import { number, plural } from "../review/words.js";
import { TabActions } from "./actions.js";
import { diffNodes } from "./dom.js";
import { Ticks } from "./ticks.js";

class Many {
  #after = "";
  #at = null;
  #busy = false;
  #count = null;

  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.asked = new URLSearchParams([...new URLSearchParams(page.filter), ...Object.entries(page.edit)]);
    this.actions = new TabActions({ ...page, filter: this.asked }, `demeter.captions.actions.${page.person}`);
    this.list = this.#part("list");
    this.ticks = new Ticks(this.list);
    this.keys = new Keys();
  }

  async start() {
    this.ticks.addEventListener("change", () => this.#show());
    const does = {
      change: () => this.#change(),
      undo: () => this.#undo(),
      more: () => this.#more(),
      all: () => this.ticks.choose(this.ticks.items),
      none: () => this.ticks.choose([]),
      exact: () => this.#counted(true),
    };
    const bound = {};
    for (const button of this.root.querySelectorAll("[data-action]")) {
      const act = () => { if (!button.disabled && !button.hidden) does[button.dataset.action](); };
      button.addEventListener("click", () => this.keys.run(act));
      const key = button.getAttribute("aria-keyshortcuts");
      if (key) bound[key] = act;
    }
    this.keys.open(bound);
    this.#show();
    if (this.page.asked) {
      await this.#preview();
      this.ticks.items[0]?.focus();
    }
    this.root.dataset.started = "true";
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  /** From the start, with what stands now. */
  async #preview() {
    this.list.replaceChildren();
    this.#after = "";
    this.#at = null;
    this.#count = null;
    this.ticks.refresh();
    this.#counted(false);
    await this.#more();
  }

  async #more() {
    if (this.#busy) return;
    this.#begin();
    try {
      const asked = new URLSearchParams(this.asked);
      if (this.#after) asked.set("after", this.#after);
      const page = await request(`${this.page.urls.preview}?${asked}`, { timeout: 120_000 });
      this.#at ??= page.at;
      this.#after = page.after;
      this.list.append(...page.items.map((item) => this.#row(item)));
      this.ticks.refresh();
    } catch (failure) {
      this.#failed(failure);
    }
    this.#end();
  }

  #row(item) {
    const name = `${item.area_name}, tile_${item.index}`;
    const address = this.page.urls.caption.replace("/area/", `/${item.area}/`).replace("/0/", `/${item.index}/`);
    const box = el("input", { type: "checkbox", value: String(item.id), "data-version": String(item.version), "aria-label": `Change ${name}` });
    box.checked = true;
    return el("li", { class: item.problem ? "cannot" : null },
      item.problem ? el("span", { "aria-hidden": "true" }, "✕") : box,
      item.picture ? el("img", { src: item.picture, alt: "", loading: "lazy", width: "64", height: "64" }) : el("span"),
      el("div", { class: "stack-tight" },
        el("a", { class: "small", href: address }, name),
        this.page.edit.do !== "replace" && el("p", { class: "soft small" }, item.text),
        el("p", { class: "caption-words" }, ...diffNodes(item.diff)),
        item.problem && el("p", { class: "small cannot-words" }, `Stays as it is: ${item.problem}`)));
  }

  async #counted(exact) {
    const shown = this.#part("count");
    shown.textContent = "Counting …";
    this.#part("exact").hidden = true;
    try {
      const { count, capped } = (this.#count = await this.actions.count(exact));
      shown.textContent = `${number(count)}${capped ? "+" : ""} ${count === 1 && !capped ? "caption changes" : "captions change"}`;
      this.#part("exact").hidden = !capped;
      shown.dataset.state = "ready";
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      shown.textContent = "Not counted.";
      shown.dataset.state = "failed";
    }
    this.#show();
  }

  /** All by their versions where all are on the page; else the filter and what is left out of it. */
  get #what() {
    const edit = { ...this.page.edit, whole_word: Boolean(this.page.edit.whole_word), match_case: Boolean(this.page.edit.match_case) };
    const chosen = this.ticks.chosen;
    if (!this.#after && chosen.length <= this.page.at_once) {
      return { edit, captions: chosen.map((box) => ({ id: Number(box.value), version: Number(box.dataset.version) })) };
    }
    return { edit, filter: this.page.filter, seen_at: this.#at, left_out: this.#left };
  }

  get #left() {
    return this.ticks.items.filter((box) => !box.checked).map((box) => Number(box.value));
  }

  #change() {
    if (!this.ticks.chosen.length) return null;
    if (this.#after && this.#left.length > this.page.most_left_out) {
      return this.#say(`At most ${number(this.page.most_left_out)} can be left out at once. Narrow the filter.`, true);
    }
    return this.#work(() => this.actions.decide(this.#what, (job) => this.#progress(job)), "changed");
  }

  #undo() {
    if (!this.actions.done.length) return null;
    return this.#work(() => this.actions.undoLast((job) => this.#progress(job)), "put back");
  }

  #progress(job) {
    this.#say(`${job.title}: ${number(job.done)} of ${job.total ? number(job.total) : "…"}`);
  }

  async #work(work, words) {
    if (this.#busy) return;
    this.#begin();
    this.#say("Working …");
    try {
      const outcome = await work();
      this.#end();
      if (this.page.asked) await this.#preview();
      if (outcome) this.#say(this.#words(outcome, words));
      (this.ticks.items[0] ?? this.#part("says")).focus();
    } catch (failure) {
      this.#failed(failure);
      this.#end();
    }
  }

  #words({ done, stale, unchanged, refused, places = [], problem = "", job }, words) {
    const parts = [`${plural(done, "caption")} ${words}.`];
    const names = places.map(({ area, index }) => `${area} tile_${index}`).join(", ");
    const where = names || (job ? `the log of job ${job} names them` : "");
    if (stale) parts.push(`${number(stale)} left as ${stale === 1 ? "it is" : "they are"}, saved meanwhile by somebody else: ${where}.`);
    if (unchanged) parts.push(`${number(unchanged)} stood so already.`);
    if (refused) parts.push(`${number(refused)} cannot be so and ${refused === 1 ? "stays" : "stay"}.`);
    return [...parts, problem].join(" ").trim();
  }

  #failed(failure) {
    if (!(failure instanceof Failure)) throw failure;
    this.#say(`${failure.message}${failure.passing ? " Nothing is lost: do the same again." : ""}`, true);
  }

  #begin() {
    this.#busy = true;
    this.root.dataset.busy = "true";
    this.#show();
  }

  #end() {
    this.#busy = false;
    this.root.dataset.busy = "false";
    this.#show();
  }

  #say(text, urgent = false) {
    const says = this.#part("says");
    says.textContent = text;
    says.classList.toggle("urgent", urgent);
  }

  #show() {
    const chosen = this.ticks.chosen.length;
    const left = this.ticks.items.length - chosen;
    this.#part("shown").textContent = this.list.children.length
      ? `${number(this.list.children.length)} shown${this.#after ? ", there may be more" : ""}${left ? `, ${number(left)} left out` : ""}`
      : "";
    const change = this.root.querySelector("[data-action=change]");
    change.disabled = this.#busy || !chosen;
    change.querySelector("[data-part=change-words]").textContent = this.#after ? this.#allWords(left) : `Change ${plural(chosen, "caption")}`;
    const more = this.root.querySelector("[data-action=more]");
    more.hidden = !this.#after;
    more.disabled = this.#busy;
    for (const name of ["all", "none"]) {
      this.root.querySelector(`[data-action=${name}]`).disabled = this.#busy || !this.ticks.items.length;
    }
    this.root.querySelector("[data-action=undo]").disabled = this.#busy || !this.actions.done.length;
    this.#part("bar").hidden = !(this.page.asked || this.actions.done.length);
    this.#part("none").hidden = this.#busy || !this.page.asked || Boolean(this.list.children.length || this.#after) || this.#at === null;
  }

  #allWords(left) {
    if (!this.#count || this.#count.capped) return "Change all of them";
    return `Change all ${number(this.#count.count - left)}`;
  }
}

const data = document.getElementById("many-page");
if (data) new Many(document.getElementById("many"), JSON.parse(data.textContent)).start();
