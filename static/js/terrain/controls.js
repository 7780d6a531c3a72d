// What is round a terrain: colours, exaggeration, where to look from, how fine, a picture to keep.

import { TerrainView } from "./view.js";

const FIRST = 128;
const SECOND = 256;
const PICTURE = [1600, 1200];

/** Drives everything inside `root`, the element of templates/tiles/_terrain.html. */
export class Terrain {
  #gone = false;

  constructor(root) {
    this.root = root;
    this.view = new TerrainView(root.querySelector("[data-part=box]"), root.dataset.plotly);
    this.says = root.querySelector("[data-part=says]");
    this.#listen();
  }

  /** Draw a tile: coarse at once, finer behind it. address: of its heights, with `SIZE` for the points a side. */
  async show(address, name) {
    this.address = address;
    this.name = name;
    await this.#fetch(FIRST);
    if (this.view.size === FIRST) await this.#fetch(SECOND);
  }

  free() {
    this.#gone = true;
    this.view.free();
  }

  async #fetch(size) {
    this.#say(`${this.view.size ? "Shown coarse, finer heights" : "The heights"} are on the way …`);
    try {
      await this.view.show(this.address.replace("SIZE", size));
    } catch (error) {
      if (!this.#gone) this.#say(`${error.message}`, true);
      return;
    }
    if (this.#gone) return;
    this.root.dataset.size = String(this.view.size);
    this.#say(`${this.view.size} × ${this.view.size} points. Drag to turn, wheel to come nearer.`);
    this.root.querySelector("[data-do=finest]").disabled = this.view.size < SECOND;
  }

  #listen() {
    const part = (name) => this.root.querySelector(`[name=${name}]`);
    part("mode").addEventListener("change", ({ target }) => {
      this.view.mode = target.value;
      this.#draw();
    });
    part("exaggeration").addEventListener("input", ({ target }) => {
      this.view.exaggeration = Number(target.value);
      this.root.querySelector("[data-part=exaggeration]").textContent = `${target.value} ×`;
      this.#draw();
    });
    part("axes").addEventListener("change", ({ target }) => {
      this.view.axes = target.checked;
      this.#draw();
    });
    for (const button of this.root.querySelectorAll("[data-look]")) {
      button.addEventListener("click", () => this.view.look(button.dataset.look));
    }
    this.root.querySelector("[data-do=finest]").addEventListener("click", () => this.#fetch(512));
    this.root.querySelector("[data-do=picture]").addEventListener("click", () => this.#keep());
  }

  #draw() {
    this.view.draw().catch((error) => this.#say(`This could not be drawn: ${error.message}`, true));
  }

  async #keep() {
    if (!this.view.size) return;
    const link = document.createElement("a");
    link.href = await this.view.picture(...PICTURE);
    link.download = `${this.name}_3d.png`;
    link.click();
  }

  #say(text, wrong = false) {
    this.says.textContent = text;
    this.says.classList.toggle("wrong", wrong);
  }
}
