// The gallery: what is selected, what is done with it, and what became of that.

import { Actions } from "../lib/actions.js";
import { Failure } from "../lib/http.js";
import { Keys } from "../lib/keys.js";
import { remembered } from "../review/address.js";
import { ReasonDialog } from "../review/dialogs.js";
import { number, plural } from "../review/words.js";
import { startLook } from "./look.js";
import { Cells } from "./selection.js";
import { SureDialog } from "./sure.js";

const SAYS = "demeter.gallery.says";
const AT = "demeter.gallery.at";
const DONE = { approve: "approved", reject: "rejected", reset: "back to pending" };
const NARROW = matchMedia("(max-width: 760px)");

class Gallery {
  #all = false;
  #busy = false;
  #count = null;

  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.actions = new Actions(page, `demeter.gallery.actions.${page.person}.${page.area}`);
    this.keys = new Keys();
    const list = root.querySelector("#cells");
    // Without tiles there is nothing to select, but still an action to undo.
    this.selection = new Cells(list ?? document.createElement("ul"));
    const reasons = document.getElementById("reasons");
    this.reasons = reasons && new ReasonDialog(reasons, this.keys, page.reasons);
    const sure = document.getElementById("sure");
    this.sure = sure && new SureDialog(sure, this.keys, this.actions);
  }

  start() {
    startLook(this.root);
    this.#startFilter();
    this.#counted(this.actions.count());
    this.#part("exact").addEventListener("click", () => this.#counted(this.actions.count(true)));
    this.#startSelection();
    this.#comeBack();
    this.#show();
    this.root.dataset.started = "true";
  }

  /** After an action the page is read again: say what became of it, and go on where the keyboard was. */
  #comeBack() {
    const says = remembered("sessionStorage", SAYS) ?? "";
    if (!says) return;
    this.#say(says);
    remembered("sessionStorage", SAYS, "");
    const at = remembered("sessionStorage", AT);
    const { items } = this.selection;
    const cell = items.find(({ dataset }) => dataset.index === at) ?? items[0];
    if (cell) this.selection.stand(cell);
  }

  #startFilter() {
    const form = document.getElementById("filter");
    const more = form.querySelector("[data-part=filter-more]");
    if (NARROW.matches) {
      more.open = false;
      this.root.querySelector(".gallery-views").open = false;
    }
    form.querySelector("[name=order]").addEventListener("change", () => form.requestSubmit());
    // Fields that ask for nothing stay out of the address, so that it can be read and shared.
    form.addEventListener("submit", () => {
      for (const field of form.querySelectorAll("[name]")) field.disabled = !field.value;
    });
    addEventListener("pageshow", () => {
      for (const field of form.querySelectorAll("[name]")) field.disabled = false;
    });
  }

  #startSelection() {
    this.selection.addEventListener("change", () => { this.#all = false; this.#show(); });
    this.selection.addEventListener("open", ({ detail }) => this.#open(detail));
    const does = {
      page: () => this.#choosePage(),
      all: () => this.#chooseAll(),
      none: () => this.selection.choose([]),
      approve: () => this.#decide({ verb: "approve" }),
      reject: () => this.#reject(),
      reset: () => this.#decide({ verb: "reset" }),
      undo: () => this.#undo(),
      open: () => this.#open(this.selection.current),
    };
    const keys = { a: "page", m: "all", Escape: "none", 1: "approve", 2: "reject", 0: "reset", u: "undo", Enter: "open" };
    // Not waited for: a key that is pressed meanwhile is the dialog's, or nobody's.
    const act = (name) => () => { if (this.#button(name) && !this.#button(name).disabled) does[name](); };
    this.keys.open(Object.fromEntries(Object.entries(keys).map(([key, name]) => [key, act(name)])));
    for (const button of this.root.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => this.keys.run(act(button.dataset.action)));
    }
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  #button(name) {
    return this.root.querySelector(`[data-action=${name}]`);
  }

  async #counted(asking) {
    const shown = this.#part("count");
    try {
      const { count, capped } = (this.#count = await asking);
      shown.textContent = `${number(count)}${capped ? "+" : ""} ${count === 1 ? "tile" : "tiles"}`;
      this.#part("exact").hidden = !capped;
      shown.dataset.state = "ready";
    } catch (failure) {
      shown.textContent = `Not counted. ${failure.message}`;
      shown.dataset.state = "failed";
    }
  }

  #choosePage() {
    this.selection.choose(this.selection.items);
  }

  #chooseAll() {
    this.selection.choose(this.selection.items);
    this.#all = true;
    this.#show();
  }

  #reject() {
    this.reasons.open((choice) => this.#decide({ verb: "reject", ...choice }));
  }

  async #decide(what) {
    const chosen = this.selection.chosen;
    if (this.#busy || !chosen.length) return;
    if (this.#all) {
      const seen = await this.sure.ask("All that match", DONE[what.verb]);
      if (seen) await this.#send({ ...what, filter: this.page.filter, seen_at: seen.at }, DONE[what.verb]);
      return;
    }
    const tiles = chosen.map(({ dataset }) => ({ index: Number(dataset.index), version: Number(dataset.version) }));
    await this.#send({ ...what, tiles }, DONE[what.verb]);
  }

  #send(what, words) {
    return this.#work(() => this.actions.decide(what, (job) => this.#progress(job)), words);
  }

  async #undo() {
    if (!this.#busy) await this.#work(() => this.actions.undo((job) => this.#progress(job)), "undone");
  }

  #progress(job) {
    this.#say(`${job.title}: ${number(job.done)} of ${job.total ? number(job.total) : "…"}`);
  }

  /** Do it, then show the page as it is now. A failure leaves the selection, so that the same can be tried again. */
  async #work(work, words) {
    this.#busy = true;
    this.root.dataset.busy = "true";
    this.#show();
    this.#say("Working …");
    try {
      const outcome = await work();
      if (outcome) remembered("sessionStorage", SAYS, this.#words(outcome, words));
      remembered("sessionStorage", AT, this.selection.current?.dataset.index ?? "");
      location.reload();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      const again = failure.passing ? " Nothing is lost: do the same again." : "";
      this.#say(`${failure.message}${again}`, { urgent: true });
      this.#busy = false;
      this.root.dataset.busy = "false";
      this.#show();
    }
  }

  #words({ done, stale, unchanged, problem = "" }, words) {
    const parts = [`${plural(done, "tile")} ${words}.`];
    if (stale) parts.push(`${number(stale)} left as ${stale === 1 ? "it is" : "they are"}: changed meanwhile by somebody else.`);
    if (unchanged) parts.push(`${number(unchanged)} stood so already.`);
    return [...parts, problem].join(" ").trim();
  }

  #open(cell) {
    if (cell) location.assign(`${this.page.urls.review}?state=&tile=${cell.dataset.index}`);
  }

  #say(text, { urgent = false } = {}) {
    const says = this.#part("says");
    if (!says) return;
    says.textContent = text;
    says.classList.toggle("urgent", urgent);
  }

  #show() {
    const chosen = this.selection.chosen.length;
    const shown = this.#part("chosen");
    if (shown) shown.textContent = this.#all ? "All that match" : chosen ? `${number(chosen)} selected` : "None selected";
    for (const button of this.root.querySelectorAll("[data-needs-chosen]")) button.disabled = this.#busy || !chosen;
    const undo = this.#button("undo");
    if (undo) undo.disabled = this.#busy || !this.actions.done.length;
  }
}

const data = document.getElementById("gallery-page");
if (data) new Gallery(document.getElementById("gallery"), JSON.parse(data.textContent)).start();
