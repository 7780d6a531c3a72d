// The terrain of a tile in a dialog. Made when it opens, and let go when it closes.

import { Terrain } from "./controls.js";

export class TerrainPanel {
  #terrain = null;

  /** dialog: the one of templates/tiles/_review_dialogs.html. urls: {terrain, page} with INDEX for the tile's number. */
  constructor(dialog, urls) {
    this.dialog = dialog;
    this.urls = urls;
    dialog.addEventListener("close", () => this.#free());
    for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
  }

  open(item, area) {
    this.#free();
    const root = this.dialog.querySelector("template").content.firstElementChild.cloneNode(true);
    root.dataset.plotly = this.dialog.dataset.plotly;
    this.dialog.append(root);
    this.dialog.querySelector("h2").textContent = `${item.name} in 3D`;
    this.dialog.querySelector("[data-part=page]").href = this.urls.page.replace("INDEX", item.index);
    this.dialog.showModal();
    this.#terrain = new Terrain(root);
    return this.#terrain.show(this.urls.terrain.replace("INDEX", item.index), `${area}_${item.name}`);
  }

  #free() {
    this.#terrain?.free();
    this.#terrain?.root.remove();
    this.#terrain = null;
  }
}
