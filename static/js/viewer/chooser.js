// Which layers are shown, in which order, and how they are drawn. All by keyboard: Alt and an arrow move a layer.

import { el, onLeaving } from "../lib/dom.js";
import { LAYERS, orderOf } from "./catalogue.js";

/** Events: `layers` with detail the ids chosen, in their order; `settings` with detail those that changed. */
export class LayerChooser extends EventTarget {
  #order = [];
  #chosen = new Set();
  #closeKeys = null;

  constructor(dialog, keys, maps) {
    super();
    this.dialog = dialog;
    this.keys = keys;
    this.list = dialog.querySelector("[data-part=layers]");
    this.fields = [...dialog.querySelectorAll("[data-setting]")];
    const map = this.#fieldsOf("map")[0];
    map.append(...maps.map((name) => el("option", { value: name }, name)));
    onLeaving(dialog, () => this.#closed());
    for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
    for (const field of this.fields) field.addEventListener("input", () => this.#set(field));
    this.list.addEventListener("keydown", (event) => this.#moveByKey(event));
  }

  /** chosen: ids in their order; settings: as viewer/catalogue.js has them; has(id): whether the tile on the screen has it. */
  open(chosen, settings, has) {
    this.#chosen = new Set(chosen);
    this.#order = orderOf(chosen, this.#order);
    this.has = has;
    this.show(settings);
    this.#render();
    const close = () => {
      this.#closed();
      this.dialog.close();
    };
    this.#closeKeys = this.keys.open({ v: close });
    this.dialog.showModal();
    this.list.querySelector("input").focus();
  }

  show(settings) {
    for (const field of this.fields) {
      const value = settings[field.dataset.setting];
      if (field.type === "checkbox") field.checked = value;
      else if (field !== document.activeElement || field.type === "range") field.value = value;
    }
  }

  #closed() {
    this.#closeKeys?.();
    this.#closeKeys = null;
  }

  #fieldsOf(setting) {
    return this.fields.filter((field) => field.dataset.setting === setting);
  }

  #set(field) {
    const name = field.dataset.setting;
    const number = ["number", "range"].includes(field.type);
    if (number && !field.checkValidity()) return;
    const value = field.type === "checkbox" ? field.checked : number ? Number(field.value) : field.value;
    for (const other of this.#fieldsOf(name)) if (other !== field) other.value = value;
    this.#tell("settings", { [name]: value });
  }

  #render() {
    this.list.replaceChildren(...this.#order.map((id) => this.#row(id)));
    for (const part of this.dialog.querySelectorAll("[data-for]")) {
      part.hidden = !part.dataset.for.split(" ").some((id) => this.#chosen.has(id));
    }
  }

  #row(id) {
    const { label } = LAYERS[id];
    const last = this.#chosen.size === 1 && this.#chosen.has(id);
    const box = el("input", { type: "checkbox", id: `layer-${id}`, checked: this.#chosen.has(id), disabled: last });
    box.addEventListener("change", () => this.#choose(id, box.checked));
    const move = (by, sign, words) =>
      el("button", { type: "button", "aria-label": `${label}: ${words}`, "data-move": by, onclick: () => this.#move(id, by) }, sign);
    return el(
      "li",
      { "data-id": id },
      box,
      el("label", { for: `layer-${id}` }, label, !this.has(id) && el("span", { class: "soft small" }, " not of this tile")),
      move(-1, "↑", "move up"),
      move(1, "↓", "move down"),
    );
  }

  #choose(id, wanted) {
    if (wanted) this.#chosen.add(id);
    else this.#chosen.delete(id);
    this.#changed(`#layer-${id}`);
  }

  #moveByKey(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const id = event.target.closest("li")?.dataset.id;
    if (!by || !event.altKey || !id) return;
    event.preventDefault();
    this.#move(id, by, `#layer-${id}`);
  }

  #move(id, by, focus = `[data-id=${id}] [data-move="${by}"]`) {
    const from = this.#order.indexOf(id);
    const to = from + by;
    if (to < 0 || to >= this.#order.length) return;
    this.#order.splice(to, 0, ...this.#order.splice(from, 1));
    this.#changed(focus);
  }

  #changed(focus) {
    this.#render();
    this.list.querySelector(focus)?.focus();
    this.#tell("layers", this.#order.filter((id) => this.#chosen.has(id)));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
