// The list of a page's keys, and where a person chooses others: templates/_keys_dialog.html.

import { el, onLeaving } from "./dom.js";
import { namesOf } from "./keys.js";

const NOT_TO_BE_HAD = new Set(["Enter", " ", "Tab", "Dead", "Process", "Unidentified", "CapsLock", "NumLock"]);
const ALONE = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "Fn"]);

export class KeysDialog {
  #asked = null;

  constructor(dialog, keys, keymap) {
    this.dialog = dialog;
    this.keys = keys;
    this.keymap = keymap;
    this.table = dialog.querySelector("table");
    this.says = dialog.querySelector("[data-part=keys-says]");
    this.all = dialog.querySelector("[data-part=keys-reset]");
    onLeaving(dialog, () => this.#closed());
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
    this.all.addEventListener("click", () => {
      this.keymap.reset();
      this.#say("Every key of this page is as it was.");
      this.dialog.querySelector("[data-close]").focus();
    });
    keymap.addEventListener("change", () => dialog.open && this.#draw());
  }

  open() {
    const close = () => {
      this.#closed();
      this.dialog.close();
    };
    this.closeKeys = this.keys.follow(this.keymap, { help: close });
    this.#say("");
    this.#draw();
    this.dialog.showModal();
  }

  #closed() {
    this.#asked = null;
    this.closeKeys?.();
    this.closeKeys = null;
  }

  #say(text, ...buttons) {
    this.says.replaceChildren(text, ...buttons.flatMap((button) => [" ", button]));
  }

  #draw() {
    const focused = document.activeElement?.closest?.("[data-change]")?.dataset.change;
    const groups = new Map();
    for (const action of this.keymap.actions) groups.set(action.group, [...(groups.get(action.group) ?? []), action]);
    const bodies = [...groups].map(([name, actions]) =>
      el(
        "tbody",
        {},
        name && el("tr", {}, el("th", { scope: "rowgroup", colspan: 2 }, name)),
        ...actions.map((action) => this.#row(action)),
      ),
    );
    for (const body of this.table.tBodies.length ? [...this.table.tBodies] : []) body.remove();
    this.table.append(...bodies);
    this.all.hidden = !this.keymap.anyChosen;
    if (focused) this.table.querySelector(`[data-change="${focused}"]`)?.focus();
  }

  #row({ id, words, keys }) {
    const asked = this.#asked === id;
    const printed = keys.map((name) => el("kbd", {}, this.keymap.printed(name)));
    const shown = asked ? ["Press a key …"] : printed.length ? printed.flatMap((key) => [key, " "]) : ["no key"];
    const again = el(
      "button",
      { type: "button", class: "link small", onclick: () => this.#reset(id, words), "aria-label": `Reset the key of: ${words}` },
      "reset",
    );
    return el(
      "tr",
      { class: asked ? "asked" : "" },
      el(
        "td",
        { class: "nowrap" },
        el(
          "button",
          {
            type: "button",
            class: "keys-change",
            "data-change": id,
            "aria-label": `${words}: ${asked ? "press a key" : `${keys.map((name) => this.keymap.printed(name)).join(", ") || "no key"}, change`}`,
            onclick: () => this.#ask(id, words),
          },
          ...shown,
        ),
      ),
      el("td", {}, words, this.keymap.isChosen(id) && " ", this.keymap.isChosen(id) && again),
    );
  }

  #ask(id, words) {
    this.#asked = id;
    this.#say(`Press the key for “${words}”. Esc leaves it as it is.`);
    this.#draw();
  }

  #reset(id, words) {
    this.keymap.reset(id);
    this.#say(`The key of “${words}” is as it was.`);
    this.table.querySelector(`[data-change="${id}"]`)?.focus();
  }

  #pressed(event) {
    const id = this.#asked;
    if (!id || ALONE.has(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    const { words } = this.keymap.action(id);
    if (event.key === "Escape") {
      this.#asked = null;
      this.#say(`The key of “${words}” stays.`);
      this.#draw();
      return;
    }
    const names = event.ctrlKey || event.altKey || event.metaKey ? [] : namesOf(event);
    if (!names.length || NOT_TO_BE_HAD.has(event.key)) {
      this.#say("That key cannot be had: choose a single key without Shift, Ctrl or Alt, and not Enter, Space or Tab. Esc leaves it as it is.");
      return;
    }
    this.#chosen(id, names, words);
  }

  #chosen(id, names, words) {
    const name = this.keymap.nameFor(id, names);
    const other = this.keymap.taken(id, names);
    this.#asked = null;
    if (!other) {
      this.#say(`“${words}” is ${this.keymap.printed(name)} now.`);
      this.keymap.choose(id, name);
      return;
    }
    const swap = el(
      "button",
      {
        type: "button",
        onclick: () => {
          this.#say(`“${words}” is ${this.keymap.printed(name)} now, and “${other.words}” has its key.`);
          this.keymap.swap(id, other.id, name);
          this.table.querySelector(`[data-change="${id}"]`)?.focus();
        },
      },
      "Swap the two",
    );
    this.#say(`${this.keymap.printed(name)} is “${other.words}” already.`, swap);
    this.#draw();
    swap.focus();
  }
}
