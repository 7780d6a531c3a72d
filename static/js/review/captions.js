// Captions of the tiles around, loaded many at once, and the editor under the pictures. The editor is the captions'
// own module: it is loaded when the first tile stands, and the page goes on without it when it does not load.

import { request } from "../lib/http.js";

const AT_ONCE = 50;
const SOON = 5;

export class Captions {
  #known = new Map();
  #asked = new Set();
  #item = null;
  #editor = null;
  #preparing = null;

  constructor(section, page) {
    this.section = section;
    this.page = page;
    this.line = section.querySelector("[data-caption=line]");
    this.text = section.querySelector("[data-caption=text]");
    this.origin = section.querySelector("[data-caption=origin]");
    this.button = section.querySelector("[data-action=caption]");
    this.place = section.querySelector("[data-caption=editor]");
  }

  get isOpen() {
    return !this.place.hidden;
  }

  /** Show the caption of a tile; the tiles in `around`, the most urgent first, are loaded ahead, many at a time. */
  show(item, around) {
    this.#item = item;
    this.section.hidden = !item;
    if (!item) return;
    this.#render();
    if (this.isOpen) this.#editor.show({ index: item.index, caption: this.#known.get(item.index) });
    const indexes = around.map(({ index }) => index);
    if (indexes.slice(0, SOON).every((index) => this.#asked.has(index))) return;
    this.#load(indexes.filter((index) => !this.#asked.has(index)));
  }

  /** Load the editor, so that drafts which an earlier page left are sent, and keep it closed. */
  prepare() {
    this.#preparing ??= this.#mount().catch((error) => {
      this.#preparing = null;
      throw error;
    });
    return this.#preparing;
  }

  async open() {
    await this.prepare();
    this.place.hidden = false;
    this.line.hidden = true;
    this.button.setAttribute("aria-expanded", "true");
    this.#editor.show({ index: this.#item.index, caption: this.#known.get(this.#item.index) });
    this.#editor.focus();
    this.place.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.place.hidden = true;
    this.line.hidden = false;
    this.button.setAttribute("aria-expanded", "false");
    this.button.focus();
  }

  async #mount() {
    const { mountCaption } = await import(this.section.dataset.editor);
    const { index } = this.#item;
    this.#editor = mountCaption(this.place, {
      area: this.page.area.slug,
      index,
      caption: this.#known.get(index),
      canEdit: this.page.can.caption,
      person: this.page.person.id,
      onSaved: (caption) => this.#take(caption),
      onClose: () => this.close(),
    });
  }

  #take(caption) {
    this.#known.set(caption.index, caption);
    if (caption.index === this.#item?.index) this.#render();
  }

  #render() {
    const caption = this.#known.get(this.#item.index);
    this.text.textContent = caption ? caption.text || "No caption yet." : "";
    const by = caption?.author ?? caption?.origin ?? "";
    this.origin.textContent = by;
    this.origin.hidden = !by;
  }

  async #load(indexes) {
    const wanted = indexes.slice(0, AT_ONCE);
    if (!wanted.length) return;
    for (const index of wanted) this.#asked.add(index);
    try {
      const { items } = await request(`${this.page.urls.captions}?index=${wanted.join(",")}`);
      for (const caption of items) this.#take(caption);
    } catch {
      for (const index of wanted) this.#asked.delete(index);
    }
  }
}
