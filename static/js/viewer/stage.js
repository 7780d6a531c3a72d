// The pictures of one tile or two: every pane shows the same place at the same scale, points at the same pixel, and is
// drawn at once from what is decoded already.

import { Crosshair } from "./crosshair.js";
import { addDivider } from "./divider.js";
import { listenToGestures } from "./gestures.js";
import { Hands } from "./hands.js";
import { Overlay } from "./overlay.js";
import { OverlayBar } from "./overlaybar.js";
import { lonLat, placeWords } from "./place.js";
import { ProfilePanel } from "./profilepanel.js";
import { readout, readoutOfTwo } from "./readout.js";
import { Row } from "./row.js";
import { View } from "./transform.js";

const OVERLAY = "overlay";
// Heights in colours, of which only the heights have edges.
const OF_HEIGHTS = new Set(["dem", "colour", "dem255"]);

/** Events: `say`, detail a sentence for the person; `settings`, when `settings` should be remembered. */
export class Stage extends EventTarget {
  #rows = [];
  #shown = [];
  #chosen = [];
  #view = new View();
  #hands;
  #closeKeys = null;
  #bound = "";
  #observer = new ResizeObserver((entries) => this.#resized(entries));
  #panes = new Map();

  /** element: holds the template of a pane; the tools stand beside it in `root`. keys: of the page. */
  constructor(element, layers, { keys, root }) {
    super();
    this.element = element;
    this.layers = layers;
    this.keys = keys;
    this.root = root;
    this.crosshair = new Crosshair();
    this.overlay = new Overlay();
    this.profile = new ProfilePanel(root.querySelector("#profile"), layers);
    const { crosshair, profile } = this;
    this.#hands = new Hands({ view: this.#view, crosshair, profile, redraw: () => this.redraw() });
    const button = root.querySelector("[data-action=overlay]");
    this.bar = new OverlayBar(root.querySelector("#overlay-bar"), button, this.overlay, layers);
    this.zoomed = root.querySelector("[data-part=zoom]");
    this.crosshair.addEventListener("change", () => this.#pointed());
    this.overlay.addEventListener("change", () => this.#overlaid());
    this.overlay.addEventListener("turn", () => this.#turned());
    this.overlay.addEventListener("settings", () => this.dispatchEvent(new Event("settings")));
    this.profile.addEventListener("change", () => this.#profiled());
    this.profile.addEventListener("point", ({ detail }) => this.#walked(detail));
    root.querySelector("[data-part=profile-close]").addEventListener("click", () => keys.run(() => this.#toggleProfile()));
  }

  /** What the page's buttons and keys do here. */
  get actions() {
    return {
      fit: () => this.#fit(),
      "zoom-in": () => this.#zoom(1),
      "zoom-out": () => this.#zoom(-1),
      "zoom-actual": () => this.#zoomTo(1),
      "hair-up": () => this.#move(0, -1),
      "hair-left": () => this.#move(-1, 0),
      "hair-down": () => this.#move(0, 1),
      "hair-right": () => this.#move(1, 0),
      pin: () => this.#pin(),
      profile: () => this.#toggleProfile(),
      overlay: () => this.#cycleOverlay(),
      "overlay-less": () => this.overlay.step(-1),
      "overlay-more": () => this.overlay.step(1),
    };
  }

  get fitted() {
    return this.#view.fitted;
  }

  /** What is worth remembering of a person. */
  get settings() {
    return this.overlay.settings;
  }

  restore(settings) {
    this.overlay.restore(settings);
    this.#overlaid();
  }

  shows(index) {
    return this.#shown.some(({ item }) => item?.index === index);
  }

  /** rows: [{item, active}], one or two. layers: ids, a pane each in this order. Draws at once what is decoded. */
  show(rows, layers) {
    this.#shown = rows;
    this.#chosen = layers;
    this.#shape();
    this.redraw();
  }

  redraw() {
    for (const row of this.#rows) for (const pane of row.panes) this.#draw(row, pane);
    this.profile.render(this.#rows[this.profile.row]?.item);
    this.#pointed();
    this.#told();
  }

  /** Make what the overlay needs of a tile that comes next, ahead of the key that shows it. */
  prepare(item) {
    const [below, above] = (this.overlay.mode === "edges" && this.overlay.pair(this.#chosen)) || [];
    const [pane] = this.#rows[0]?.panes ?? [];
    const bitmap = below && pane && item && this.layers.bitmap(item, above);
    if (bitmap) this.overlay.prepare(bitmap, this.#edges(item, pane));
  }

  // --- Panes ---

  #shape() {
    while (this.#rows.length > this.#shown.length) this.#rows.pop().leave();
    const pair = this.overlay.on && this.overlay.pair(this.#chosen);
    const wanted = pair ? [...this.#chosen, OVERLAY] : this.#chosen;
    this.#shown.forEach((row, index) => {
      this.#rows[index] ??= this.#newRow(index);
      this.#rows[index].show(row, wanted);
    });
    this.bar.render();
  }

  #newRow(index) {
    const template = this.element.querySelector("template[data-part=pane]");
    const row = new Row({ index, template, onPane: (...made) => this.#met(...made), onGone: (pane) => this.#left(pane) });
    this.element.append(row.element);
    return row;
  }

  #met(pane, row) {
    const { width, height } = pane.frame.getBoundingClientRect();
    pane.measure(width * devicePixelRatio, height * devicePixelRatio);
    this.#panes.set(pane.frame, { pane, row });
    this.#observer.observe(pane.frame);
    listenToGestures(pane.frame, this.#hands.of(pane, row));
    if (pane.layer === OVERLAY) addDivider(pane, this.overlay);
  }

  #left(pane) {
    this.#observer.unobserve(pane.frame);
    this.#panes.delete(pane.frame);
  }

  #resized(entries) {
    let changed = false;
    for (const { target } of entries) {
      const { pane } = this.#panes.get(target) ?? {};
      const { width, height } = target.getBoundingClientRect();
      if (!pane || !width) continue;
      const before = pane.size;
      pane.measure(width * devicePixelRatio, height * devicePixelRatio);
      changed ||= before.width !== pane.size.width || before.height !== pane.size.height;
    }
    if (changed) this.redraw();
  }

  // --- Drawing ---

  #draw(row, pane) {
    const words = this.#words(pane.layer);
    pane.name(words, `${words[0]} of ${row.item?.name ?? "no tile"}`);
    const paint = this.#paint(row, pane);
    pane.draw(this.#view, row.image, paint);
    pane.say(paint ? "" : this.#missing(row, pane));
    if (pane.layer !== OVERLAY) return;
    pane.figure.dataset.mode = this.overlay.mode;
    pane.figure.style.setProperty("--share", this.overlay.share);
  }

  #words(layer) {
    if (layer !== OVERLAY) return [this.layers.label(layer), this.layers.detail(layer)];
    const [below, above] = this.overlay.pair(this.#chosen).map((each) => this.layers.label(each));
    return ["Overlay", `${above} on ${below}`];
  }

  /** How to draw a pane in image pixels, now; null when it is not decoded. Never kept: bitmaps are let go any time. */
  #paint({ item }, pane) {
    if (!item) return null;
    const [below, above] = (pane.layer === OVERLAY ? this.overlay.pair(this.#chosen) : [pane.layer]).map((layer) =>
      this.layers.bitmap(item, layer),
    );
    if (pane.layer !== OVERLAY) return below && ((context) => context.drawImage(below, 0, 0));
    if (!below || !above) return null;
    const edges = this.overlay.mode === "edges" ? this.#edges(item, pane) : {};
    return (context, { scale, x }) => {
      const divider = (this.overlay.share * pane.size.width - x) / scale;
      this.overlay.paint(context, { below, above, divider, ...edges });
    };
  }

  /** What edges are found in, and in which colour they are drawn. */
  #edges(item, pane) {
    const [, above] = this.overlay.pair(this.#chosen);
    const heights = OF_HEIGHTS.has(above) ? this.layers.heights(item) : null;
    return { heights, colour: getComputedStyle(pane.canvas).color.match(/\d+/g).slice(0, 3).map(Number) };
  }

  #missing({ item }, { layer }) {
    const layers = layer === OVERLAY ? this.overlay.pair(this.#chosen) : [layer];
    return layers.map((each) => item && this.layers.problem(item, each)).find(Boolean) ?? "Loading …";
  }

  /** The same pixel in all panes of the row, also when the tile under a resting mouse changes. */
  #pointed() {
    const { pixel, pinned } = this.crosshair;
    this.element.classList.toggle("pointing", Boolean(pixel));
    this.element.classList.toggle("pinned", pinned);
    for (const row of this.#rows) {
      const here = row.index === this.crosshair.row && pixel && inside(pixel, row.image) ? pixel : null;
      const where = here && row.item ? placeWords(lonLat(row.item.places, row.image, here)) : "";
      for (const pane of row.panes) {
        const paint = here && this.#paint(row, pane);
        const words = paint ? this.#readout(row.item, pane.layer, here) : "";
        const line = this.profile.lineOf(row.index);
        // The magnifier would lie on the line that is being drawn.
        pane.point(here, { paint: this.profile.isOpen ? null : paint, words, where, line });
      }
      if (row.index === this.profile.row) this.profile.point(here);
    }
    this.root.querySelector("[data-action=pin]").setAttribute("aria-pressed", String(pinned));
    this.#bindKeys();
  }

  #readout(item, layer, pixel) {
    if (layer !== OVERLAY) return readout(this.layers, item, layer, pixel);
    return readoutOfTwo(this.layers, item, this.overlay.pair(this.#chosen), pixel);
  }

  /** The scale in words, and what the fingers may do. */
  #told() {
    const [pane] = this.#rows[0]?.panes ?? [];
    if (!pane) return;
    const { scale } = this.#view.place(this.#rows[0].image, pane.size);
    this.zoomed.textContent = `${Math.round(100 * scale)} %`;
    this.element.classList.toggle("zoomed", !this.fitted);
    this.element.classList.toggle("drawing", this.profile.isOpen);
    this.root.querySelector("[data-action=fit]").setAttribute("aria-pressed", String(this.fitted));
  }

  // --- Keys and buttons ---

  #active() {
    const row = this.#rows.find((each) => each.element.hasAttribute("data-active")) ?? this.#rows[0];
    return { row, pane: row?.panes[0] };
  }

  /** Around the cross-hair while there is one, else around the middle. */
  #focus({ row, pane }) {
    const { pixel } = this.crosshair;
    const { scale, x, y } = this.#view.place(row.image, pane.size);
    const at = pixel && { x: x + (pixel.col + 0.5) * scale, y: y + (pixel.row + 0.5) * scale };
    const seen = at && at.x >= 0 && at.y >= 0 && at.x < pane.size.width && at.y < pane.size.height;
    return seen ? at : { x: pane.size.width / 2, y: pane.size.height / 2 };
  }

  #zoom(direction) {
    const { row, pane } = this.#active();
    if (!pane) return;
    this.#view.step(direction, this.#focus({ row, pane }), row.image, pane.size);
    this.redraw();
  }

  #zoomTo(scale) {
    const { row, pane } = this.#active();
    if (!pane) return;
    this.#view.zoom(scale, this.#focus({ row, pane }), row.image, pane.size);
    this.redraw();
  }

  #fit() {
    this.#view.fit();
    this.redraw();
    this.#say("Fitted to the page.");
  }

  /** The pixel in the middle of what is seen. */
  #middle({ row, pane }) {
    const { scale, x, y } = this.#view.place(row.image, pane.size);
    return { col: Math.floor((pane.size.width / 2 - x) / scale), row: Math.floor((pane.size.height / 2 - y) / scale) };
  }

  #move(cols, rows) {
    const active = this.#active();
    const row = this.crosshair.pixel ? this.#rows[this.crosshair.row] : active.row;
    if (!row?.panes.length) return;
    const [pane] = row.panes;
    if (!this.crosshair.pixel) this.crosshair.row = row.index;
    this.crosshair.move(cols, rows, row.image, this.#middle({ row, pane }));
    if (this.#view.reveal(this.crosshair.pixel, row.image, pane.size)) this.redraw();
    this.profile.extend(this.crosshair.pixel, row.index);
  }

  /** Holds the cross-hair where it is, or lets it go; marks the ends of a line while a profile is drawn. */
  #pin() {
    const active = this.#active();
    if (!active.pane) return;
    const pixel = this.crosshair.pixel ?? this.#middle(active);
    const row = this.crosshair.pixel ? this.crosshair.row : active.row.index;
    if (this.profile.isOpen) {
      this.crosshair.pin(pixel, row);
      this.#say(this.profile.mark(pixel, row) ? "The line starts here." : "The line ends here.");
    } else if (this.crosshair.pinned) {
      this.crosshair.unpin();
      this.#say("The cross-hair follows the mouse.");
    } else {
      this.crosshair.pin(pixel, row);
      this.#say(`Pinned at ${pixel.col}, ${pixel.row}. The arrow keys move it.`);
    }
  }

  #toggleProfile() {
    if (this.profile.isOpen) this.profile.close();
    else {
      this.profile.open();
      if (this.crosshair.pinned) this.profile.begin(this.crosshair.pixel, this.crosshair.row);
      else this.#profiled();
    }
    this.root.querySelector("[data-action=profile]").setAttribute("aria-pressed", String(this.profile.isOpen));
    this.#say(this.profile.isOpen ? "Profile: draw a line." : "The profile is closed.");
  }

  #cycleOverlay() {
    if (!this.overlay.pair(this.#chosen)) {
      this.#say("An overlay needs two layers. Choose one more.");
      return;
    }
    this.overlay.cycle();
    this.#say(`Overlay: ${this.overlay.mode}.`);
  }

  /** Escape lets go of the newest; the arrows are the cross-hair's while it is pinned. */
  #bindKeys() {
    const wanted = [this.crosshair.pinned && "pinned", this.profile.isOpen && "profile"].filter(Boolean).join(" ");
    if (wanted === this.#bound) return;
    this.#bound = wanted;
    this.#closeKeys?.();
    this.#closeKeys = null;
    if (!wanted) return;
    const { "hair-up": ArrowUp, "hair-left": ArrowLeft, "hair-down": ArrowDown, "hair-right": ArrowRight } = this.actions;
    const arrows = this.crosshair.pinned ? { ArrowUp, ArrowLeft, ArrowDown, ArrowRight } : {};
    const Escape = () => (this.profile.isOpen ? this.#toggleProfile() : this.crosshair.unpin());
    this.#closeKeys = this.keys.open({ ...arrows, Escape }, { through: true });
  }

  #overlaid() {
    this.#shape();
    this.root.classList.toggle("overlaying", !this.bar.bar.hidden);
    this.redraw();
  }

  #turned() {
    for (const row of this.#rows) {
      for (const pane of row.panes) if (pane.layer === OVERLAY) this.#draw(row, pane);
    }
    this.#pointed();
  }

  #profiled() {
    this.root.classList.toggle("profiling", this.profile.isOpen);
    this.profile.render(this.#rows[this.profile.row]?.item);
    this.#pointed();
    this.#told();
  }

  /** A place on the chart is a place on the ground. A pinned cross-hair goes there too. */
  #walked(pixel) {
    if (this.crosshair.pinned && pixel) this.crosshair.pin(pixel, this.profile.row);
    else this.crosshair.point(pixel, this.profile.row);
  }

  #say(text) {
    this.dispatchEvent(new CustomEvent("say", { detail: text }));
  }
}

function inside({ col, row }, { width, height }) {
  return col < width && row < height;
}
