// The gallery: what is selected, what is done with it, and what became of that.

import { Actions } from "../lib/actions.js";
import { Failure } from "../lib/http.js";
import { Keymap } from "../lib/keymap.js";
import { Keys } from "../lib/keys.js";
import { KeysDialog } from "../lib/keysdialog.js";
import { Preferences } from "../lib/preferences.js";
import { remembered } from "../review/address.js";
import { ReasonDialog } from "../review/dialogs.js";
import { UndoDialog, outcomeWords } from "../review/takeback.js";
import { number } from "../review/words.js";
import { startLook } from "./look.js";
import { MarkDialog } from "./marks.js";
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
    this.marks = Object.fromEntries(["tag", "assign"].map((kind) => {
      const dialog = document.getElementById(`${kind}-dialog`);
      return [kind, dialog && new MarkDialog(dialog, this.keys, kind)];
    }));
    const undo = document.getElementById("undo");
    this.undoing = undo && new UndoDialog(undo, this.keys);
    const preferences = new Preferences({ values: page.preferences, url: page.urls.preferences, person: page.person });
    this.keymap = new Keymap(root, { page: "gallery", preferences });
    this.help = new KeysDialog(document.getElementById("keys"), this.keys, this.keymap);
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
    form.querySelector("[name=seed]").addEventListener("change", () => form.requestSubmit());
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
      tag: () => this.#mark("tag"),
      assign: () => this.#mark("assign"),
      undo: () => this.#undo(),
      open: () => this.#open(this.selection.current),
      help: () => this.help.open(),
    };
    // Not waited for: a key that is pressed meanwhile is the dialog's, or nobody's.
    const act = (name) => () => { if (this.#button(name) && !this.#button(name).disabled) does[name](); };
    this.keys.follow(this.keymap, Object.fromEntries(Object.keys(does).map((name) => [name, act(name)])));
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

  async #mark(kind) {
    const asked = await this.marks[kind].ask();
    if (asked) await this.#decide(asked.what, asked.words);
  }

  async #decide(what, words = DONE[what.verb]) {
    const chosen = this.selection.chosen;
    if (this.#busy || !chosen.length) return;
    if (this.#all) {
      const seen = await this.sure.ask("All that match", words);
      if (seen) await this.#send({ ...what, filter: this.page.filter, seen_at: seen.at }, words);
      return;
    }
    const tiles = chosen.map(({ dataset }) => ({ index: Number(dataset.index), version: Number(dataset.version) }));
    await this.#send({ ...what, tiles }, words);
  }

  #send(what, words) {
    return this.#work(() => this.actions.decide(what, (job) => this.#progress(job)), words);
  }

  async #undo() {
    if (this.#busy) return;
    const newest = await this.#asked(() => this.actions.newest());
    if (newest === null) this.#say("There is nothing of yours to undo here.");
    if (!newest) return;
    const undo = () => this.actions.undo(newest, (job) => this.#progress(job));
    this.undoing.ask(newest, () => this.#work(undo, "undone"));
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
      remembered("sessionStorage", SAYS, outcomeWords(outcome, words));
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

  /** What the server answers; undefined, and said, when it does not. */
  async #asked(ask) {
    this.#busy = true;
    try {
      return await ask();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#say(failure.message, { urgent: true });
      return undefined;
    } finally {
      this.#busy = false;
    }
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
    if (undo) undo.disabled = this.#busy;
  }
}

const data = document.getElementById("gallery-page");
if (data) new Gallery(document.getElementById("gallery"), JSON.parse(data.textContent)).start();
