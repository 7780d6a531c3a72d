// Things of a list that are chosen one by one, or from one to another. How a choice shows is the subclass's business.

/** Event: `change` when the selection changed. */
export class Selection extends EventTarget {
  /** Where a range begins: what was chosen alone last. */
  anchor = null;

  constructor(items) {
    super();
    this.items = items;
  }

  isChosen(_item) {
    throw new Error("a subclass says what is chosen");
  }

  set(_item, _chosen) {
    throw new Error("a subclass shows what is chosen");
  }

  get chosen() {
    return this.items.filter((item) => this.isChosen(item));
  }

  choose(items) {
    const wanted = new Set(items);
    for (const item of this.items) this.set(item, wanted.has(item));
    this.tell("change");
  }

  toggle(item) {
    this.set(item, !this.isChosen(item));
    this.anchor = item;
    this.tell("change");
  }

  /** All from the anchor to this one. */
  span(item) {
    this.anchor ??= item;
    const places = [this.items.indexOf(this.anchor), this.items.indexOf(item)].sort((a, b) => a - b);
    return this.items.slice(places[0], places[1] + 1);
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
