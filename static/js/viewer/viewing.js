// What is looked at: which tiles stand on the screen in which layers, remembered for each person.

import { arranged } from "./arrange.js";
import { DEFAULTS, LAYERS } from "./catalogue.js";
import { LayerChooser } from "./chooser.js";
import { Layers } from "./layers.js";
import { Stage } from "./stage.js";

const NAME = "viewer";

/** Events: `ready` when layers of a tile came; `changed` with detail {index} when the server has newer ones; `say`. */
export class Viewing extends EventTarget {
  #preferences;
  #rows = [];
  #two = false;
  #item = null;
  #next = null;
  #shape = "";

  /** element: where the pictures go. root: of the review page, with the tools. */
  constructor(element, { root, page, keys, preferences }) {
    super();
    this.element = element;
    this.maps = Object.keys(page.tables);
    this.#preferences = preferences;
    this.layers = new Layers({ worker: element.dataset.worker, tables: page.tables, areaRange: page.heights });
    this.stage = new Stage(element, this.layers, { keys, root });
    this.chooser = new LayerChooser(document.querySelector("#layers"), keys, this.maps);
    this.arrange = arranged(element);
    this.#restore(preferences.get(NAME));
    this.#listen();
  }

  /** What keys and buttons do here, by the names of `data-action`. */
  get actions() {
    return {
      ...this.stage.actions,
      layers: () => this.chooser.open(this.layers.chosen, this.layers.settings, (layer) => this.#offers(layer)),
      colour: () => this.#nextMap(),
      rows: () => this.#toggleRows(),
    };
  }

  /** Whether a finger's swipe goes to another tile, for it neither moves the picture nor draws a line. */
  get swipes() {
    return this.stage.fitted && !this.stage.profile.isOpen;
  }

  /** Draw a tile, at once. next: the one that stands below it when there are two. null: nothing is looked at. */
  show(item, next) {
    this.#item = item;
    this.#next = next;
    if (!item) return;
    this.#rows = this.#rowsOf(item, next);
    this.element.dataset.rows = this.#rows.length;
    this.stage.show(this.#rows, this.layers.chosen);
    const shape = `${this.#rows.length} ${this.element.querySelectorAll("figure").length}`;
    if (shape !== this.#shape) this.arrange();
    this.#shape = shape;
    this.#prepare();
  }

  /** When there is time: what would take some when the next tile is drawn. */
  #prepare() {
    requestIdleCallback(() => this.stage.prepare(this.#next));
  }

  /** With two on the screen, the lower one's turn comes before the next two. */
  #rowsOf(item, next) {
    const stays = this.#two && this.#rows.length > 1 && this.#rows.some((row) => row.item === item);
    const items = stays ? this.#rows.map((row) => row.item) : [item, this.#two && next].filter(Boolean);
    return items.map((each) => ({ item: each, active: each === item }));
  }

  #restore({ layers = [], settings = {}, two = false, stage = null }) {
    const known = layers.filter((layer) => layer in LAYERS);
    this.layers.chosen = known.length ? known : DEFAULTS.layers;
    this.layers.settings = { ...DEFAULTS.settings, ...settings };
    if (!this.maps.includes(this.layers.settings.map)) this.layers.settings.map = DEFAULTS.settings.map;
    if (stage) this.stage.restore(stage);
    this.#markRows(two === true);
  }

  #remember() {
    const { chosen: layers, settings } = this.layers;
    this.#preferences.set(NAME, { layers, settings, two: this.#two, stage: this.stage.settings });
  }

  #listen() {
    this.layers.addEventListener("ready", ({ detail }) => {
      if (this.stage.shows(detail.index)) this.stage.redraw();
      if (this.#next?.index === detail.index) this.#prepare();
      this.#tell("ready", detail);
    });
    for (const name of ["failed", "changed"]) {
      this.layers.addEventListener(name, ({ detail }) => this.#tell(name === "failed" ? "ready" : name, detail));
    }
    this.stage.addEventListener("say", ({ detail }) => this.#tell("say", detail));
    this.stage.overlay.addEventListener("change", () => this.arrange());
    this.stage.addEventListener("settings", () => {
        this.layers.choose(this.layers.chosen);
      this.#changed();
    });
    this.chooser.addEventListener("layers", ({ detail }) => {
      this.layers.choose(detail);
      this.#changed();
    });
    this.chooser.addEventListener("settings", ({ detail }) => this.#set(detail));
  }

  #set(settings) {
    this.layers.set(settings);
    this.#changed();
  }

  #changed() {
    this.#remember();
    this.show(this.#item, this.#next);
    this.#tell("ready", { index: this.#item?.index });
  }

  #offers(layer) {
    return !this.#item || Boolean(this.#item.urls[LAYERS[layer].source]);
  }

  #nextMap() {
    const map = this.maps[(this.maps.indexOf(this.layers.settings.map) + 1) % this.maps.length];
    this.#set({ map });
    const unseen = this.layers.chosen.includes("colour") ? "" : " DEM colour is not among the layers shown.";
    this.#tell("say", `Heights in ${map}.${unseen}`);
  }

  #toggleRows() {
    this.#markRows(!this.#two);
    this.#rows = [];
    this.#remember();
    this.#tell("rows", null);
    this.#tell("say", this.#two ? "Two tiles a screen." : "One tile a screen.");
  }

  #markRows(two) {
    this.#two = two;
    document.querySelector("[data-action=rows]")?.setAttribute("aria-pressed", String(two));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
