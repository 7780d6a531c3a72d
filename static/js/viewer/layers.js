// The layers of tiles as they are drawn: the picture, and the heights in a table of colours.

const LABELS = { png: "RGB", dem255: "Heights" };
const NO_PIXEL = 0;

function tableOf(numbers) {
  const table = new Uint32Array(256);
  const bytes = new Uint8Array(table.buffer);
  for (let value = 0; value < 256; value += 1) {
    bytes.set([numbers[3 * value], numbers[3 * value + 1], numbers[3 * value + 2], 255], 4 * value);
  }
  return table;
}

export class Layers extends EventTarget {
  #pictures;
  #tables;
  #names;
  #coloured = new WeakMap();
  #colours = new WeakMap();
  #heights = new WeakMap();

  chosen = Object.keys(LABELS);

  /** pictures: what is loaded. tables: name -> 768 numbers, from low to high ground. */
  constructor(pictures, tables) {
    super();
    this.#pictures = pictures;
    this.#tables = new Map(Object.entries(tables).map(([name, numbers]) => [name, tableOf(numbers)]));
    this.#names = Object.keys(tables);
    this.colouring = this.#names[0];
  }

  /** Put the next colour table on the heights; returns its name. */
  cycle() {
    this.colouring = this.#names[(this.#names.indexOf(this.colouring) + 1) % this.#names.length];
    return this.colouring;
  }

  use(name) {
    if (this.#tables.has(name)) this.colouring = name;
  }

  has(item) {
    return this.#pictures.has(item);
  }

  label(layer) {
    return LABELS[layer];
  }

  detail(layer) {
    return layer === "dem255" ? this.colouring : "";
  }

  problem(item, layer) {
    if (item.urls[layer]) return this.#pictures.problem(item, layer);
    return layer === "png" ? "This tile has no picture." : "This tile has no heights to show.";
  }

  bitmap(item, layer) {
    const picture = this.#pictures.get(item, layer);
    return picture && layer === "dem255" ? this.#inColours(picture) : (picture?.bitmap ?? null);
  }

  rgb(item, layer, col, row) {
    const picture = this.#pictures.get(item, layer);
    if (!picture?.bitmap) return null;
    let data = this.#colours.get(picture);
    if (!data) {
      const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d", { willReadFrequently: true });
      context.drawImage(picture.bitmap, 0, 0);
      ({ data } = context.getImageData(0, 0, picture.width, picture.height));
      this.#colours.set(picture, data);
    }
    return [...data.subarray(4 * (row * picture.width + col), 4 * (row * picture.width + col) + 3)];
  }

  /** Only as exact as 256 steps between the lowest and the highest ground are. */
  heights(item) {
    const picture = this.#pictures.get(item, "dem255");
    if (!picture || item.dem_min === null || item.dem_min === undefined) return null;
    const known = this.#heights.get(picture);
    if (known) return known;
    const { values, there, width, height } = picture;
    const step = (item.dem_max - item.dem_min) / 255;
    const data = Float32Array.from(values, (value, at) => (there[at] ? item.dem_min + value * step : NaN));
    const heights = { width, height, data, dx: item.gsd, dy: item.gsd, approximate: true };
    this.#heights.set(picture, heights);
    return heights;
  }

  #inColours(picture) {
    const known = this.#coloured.get(picture);
    if (known?.name === this.colouring) return known.canvas;
    const { values, there, width, height } = picture;
    const table = this.#tables.get(this.colouring);
    const canvas = known?.canvas ?? new OffscreenCanvas(width, height);
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let at = 0; at < values.length; at += 1) pixels[at] = there[at] ? table[values[at]] : NO_PIXEL;
    canvas.getContext("2d").putImageData(image, 0, 0);
    this.#coloured.set(picture, { name: this.colouring, canvas });
    return canvas;
  }
}
