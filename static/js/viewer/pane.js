// One picture in its frame. Fitted, the canvas holds the image pixel by pixel and the page scales it; zoomed, it holds
// what is seen of it, in device pixels.

import { helps, magnify } from "./magnifier.js";
import { Marks } from "./marks.js";

export class Pane {
  #size = { width: 1, height: 1 };
  #place = { scale: 1, x: 0, y: 0 };
  #fitted = true;

  /** figure: made from the page's template. layer: its id. */
  constructor(figure, layer) {
    this.figure = figure;
    this.layer = layer;
    this.frame = figure.querySelector(".frame");
    this.canvas = figure.querySelector("canvas.picture");
    this.loupe = figure.querySelector("canvas.loupe");
    this.marks = new Marks(figure.querySelector("svg.marks"));
    this.readout = figure.querySelector("output");
    this.whereabouts = figure.querySelector("[data-part=place]");
    this.note = figure.querySelector(".note");
    this.context = this.canvas.getContext("2d");
  }

  /** Size of the frame in device pixels; measured when it changes, never while drawing. */
  get size() {
    return this.#size;
  }

  measure(width, height) {
    this.#size = { width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(height)) };
  }

  /** Draw an image of {width, height} by paint(context, place), which draws in image pixels. No paint: clear it. */
  draw(view, image, paint) {
    const place = view.place(image, this.#size);
    const held = view.fitted ? image : this.#size;
    if (this.canvas.width !== held.width || this.canvas.height !== held.height) {
      this.canvas.width = held.width;
      this.canvas.height = held.height;
    }
    this.#place = place;
    this.#fitted = view.fitted;
    this.canvas.classList.toggle("smooth", place.scale < 1);
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, held.width, held.height);
    if (!paint) return;
    if (!view.fitted) this.context.setTransform(place.scale, 0, 0, place.scale, place.x, place.y);
    this.context.imageSmoothingEnabled = place.scale < 1;
    this.context.imageSmoothingQuality = "high";
    paint(this.context, place);
  }

  /** words: the layer and what there is to say about it. name: for those who do not see it. */
  name([label, detail], name) {
    for (const [part, text] of [["label", label], ["detail", detail]]) {
      const element = this.figure.querySelector(`[data-part=${part}]`);
      if (element.textContent !== text) element.textContent = text;
    }
    if (this.canvas.ariaLabel !== name) this.canvas.ariaLabel = name;
  }

  /** text: why there is no picture; empty when there is. */
  say(text) {
    if (this.note.textContent !== text) this.note.textContent = text;
    this.note.hidden = !text;
    this.figure.classList.toggle("waiting", Boolean(text));
  }

  /** Where in the frame an event is, in device pixels. */
  pointOf({ clientX, clientY }) {
    const box = this.frame.getBoundingClientRect();
    const ratio = this.#size.width / box.width;
    return { x: (clientX - box.left) * ratio, y: (clientY - box.top) * ratio };
  }

  /** The image pixel that an event is on, or null. */
  pixelAt(event, image) {
    const { x, y } = this.pointOf(event);
    const col = Math.floor((x - this.#place.x) / this.#place.scale);
    const row = Math.floor((y - this.#place.y) / this.#place.scale);
    return col >= 0 && row >= 0 && col < image.width && row < image.height ? { col, row } : null;
  }

  /** Point at a pixel: cross-hair, magnifier and words. pixel: null for none. paint: as for draw. */
  point(pixel, { paint, words, where, line }) {
    const ratio = devicePixelRatio;
    const { scale, x, y } = this.#place;
    this.marks.show({ scale: scale / ratio, x: x / ratio, y: y / ratio }, pixel, line);
    const seen = Boolean(pixel && paint && helps(scale / ratio, this.#fitted));
    this.loupe.hidden = !seen;
    if (seen) {
      const at = { x: (x + (pixel.col + 0.5) * scale) / this.#size.width, y: (y + (pixel.row + 0.5) * scale) / this.#size.height };
      magnify(this.loupe, pixel, (context) => paint(context, this.#place), at);
    }
    this.readout.textContent = words;
    this.whereabouts.textContent = where;
  }
}
