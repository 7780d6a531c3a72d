// The panes of one tile, side by side in the order that was asked for.

import { Pane } from "./pane.js";

export class Row {
  item = null;
  panes = [];

  /** template: of a pane. onPane(pane, row): told of each new one. onGone(pane): of each that goes. */
  constructor({ index, template, onPane, onGone }) {
    this.index = index;
    this.template = template;
    this.onPane = onPane;
    this.onGone = onGone;
    this.element = document.createElement("div");
    this.element.className = "stage-row";
    this.element.dataset.row = index;
  }

  /** Size of the tile's layers in pixels. */
  get image() {
    return { width: this.item?.width ?? 512, height: this.item?.height ?? 512 };
  }

  show({ item, active }, layers) {
    this.item = item;
    this.element.dataset.name = item?.name ?? "";
    this.element.toggleAttribute("data-active", Boolean(active));
    if (layers.join() !== this.panes.map((pane) => pane.layer).join()) this.#shape(layers);
  }

  leave() {
    for (const pane of this.panes) this.onGone(pane);
    this.element.remove();
  }

  /** Keep the panes that stay, so that nothing flickers when one more comes. */
  #shape(layers) {
    const before = new Map(this.panes.map((pane) => [pane.layer, pane]));
    this.panes = layers.map((layer) => before.get(layer) ?? this.#made(layer));
    for (const pane of before.values()) {
      if (layers.includes(pane.layer)) continue;
      this.onGone(pane);
      pane.figure.remove();
    }
    this.element.replaceChildren(...this.panes.map((pane) => pane.figure));
    for (const pane of this.panes) if (!before.has(pane.layer)) this.onPane(pane, this);
  }

  #made(layer) {
    const figure = this.template.content.firstElementChild.cloneNode(true);
    figure.dataset.layer = layer;
    return new Pane(figure, layer);
  }
}
