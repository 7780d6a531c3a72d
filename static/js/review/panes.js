// The two pictures of a pair, drawn on canvases pixel by pixel, and the magnifier that shows the same pixel in both.

const LOUPE = 21;
const NO_PIXEL = 0;

function tableOf(numbers) {
  const table = new Uint32Array(256);
  const bytes = new Uint8Array(table.buffer);
  for (let value = 0; value < 256; value += 1) {
    bytes.set([numbers[3 * value], numbers[3 * value + 1], numbers[3 * value + 2], 255], 4 * value);
  }
  return table;
}

class Pane {
  constructor(figure) {
    this.figure = figure;
    this.frame = figure.querySelector(".frame");
    this.canvas = figure.querySelector("canvas.picture");
    this.loupe = figure.querySelector("canvas.loupe");
    this.readout = figure.querySelector("output");
    this.note = figure.querySelector(".note");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  resize(width, height) {
    if (this.canvas.width === width && this.canvas.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
  }

  say(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
    this.figure.classList.toggle("waiting", Boolean(text));
  }

  pixelAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const col = Math.floor(((event.clientX - box.left) / box.width) * this.canvas.width);
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.canvas.height);
    const inside = col >= 0 && row >= 0 && col < this.canvas.width && row < this.canvas.height;
    return inside ? { col, row } : null;
  }

  /** Show the surroundings of a pixel beside it, magnified without smoothing. */
  magnify({ col, row }) {
    const context = this.loupe.getContext("2d");
    const { width } = this.loupe;
    const reach = (LOUPE - 1) / 2;
    const step = width / LOUPE;
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, width, width);
    context.drawImage(this.canvas, col - reach, row - reach, LOUPE, LOUPE, 0, 0, width, width);
    for (const [colour, grow] of [["#000", 1], ["#fff", 0]]) {
      context.strokeStyle = colour;
      context.strokeRect(reach * step - grow + 0.5, reach * step - grow + 0.5, step + 2 * grow - 1, step + 2 * grow - 1);
    }
    const x = (col + 0.5) / this.canvas.width;
    const y = (row + 0.5) / this.canvas.height;
    this.loupe.style.setProperty("--x", x);
    this.loupe.style.setProperty("--y", y);
    this.loupe.classList.toggle("left", x > 0.5);
    this.loupe.classList.toggle("up", y > 0.5);
  }
}

export class Panes {
  #rgb;
  #dem;
  #tables;
  #names;
  #item = null;
  #depth = null;
  #pixel = null;

  /** stage: the element with both figures. tables: name -> 768 numbers, from low to high ground. */
  constructor(stage, tables) {
    this.stage = stage;
    this.#rgb = new Pane(stage.querySelector("[data-layer=png]"));
    this.#dem = new Pane(stage.querySelector("[data-layer=dem255]"));
    this.#tables = new Map(Object.entries(tables).map(([name, numbers]) => [name, tableOf(numbers)]));
    this.#names = Object.keys(tables);
    this.colouring = this.#names[0];
    const [one, other] = [this.#rgb.frame, this.#dem.frame];
    one.addEventListener("scroll", () => other.scrollTo(one.scrollLeft, one.scrollTop));
    other.addEventListener("scroll", () => one.scrollTo(other.scrollLeft, other.scrollTop));
    for (const pane of [this.#rgb, this.#dem]) {
      pane.canvas.addEventListener("pointermove", (event) => {
        this.#pixel = event.pointerType === "touch" ? null : pane.pixelAt(event);
        this.#magnify();
      });
      pane.canvas.addEventListener("pointerleave", () => {
        this.#pixel = null;
        this.#magnify();
      });
    }
  }

  /** Put the next colour table on the heights; returns its name. */
  cycle() {
    this.colouring = this.#names[(this.#names.indexOf(this.colouring) + 1) % this.#names.length];
    if (this.#depth) this.#drawDepth();
    this.#magnify();
    return this.colouring;
  }

  /** Show every pixel as one pixel, in frames that scroll together; or fit the pictures to the page again. */
  toggleActual() {
    const actual = this.stage.classList.toggle("actual");
    for (const { frame } of [this.#rgb, this.#dem]) {
      if (actual) frame.tabIndex = 0;
      else frame.removeAttribute("tabindex");
    }
    return actual;
  }

  use(name) {
    if (this.#tables.has(name)) this.colouring = name;
  }

  /** Draw a tile from decoded pictures. Returns whether everything that it has is on the screen now. */
  show(item, pictures) {
    this.#item = item;
    const rgb = this.#place(this.#rgb, item, "png", pictures, "This tile has no picture.");
    const depth = this.#place(this.#dem, item, "dem255", pictures, "This tile has no heights to show.");
    if (rgb) this.#rgb.context.drawImage(rgb.bitmap, 0, 0);
    this.#depth = depth;
    if (depth) this.#drawDepth();
    this.#magnify();
    return Boolean(rgb || !item.urls.png) && Boolean(depth || !item.urls.dem255);
  }

  #place(pane, item, layer, pictures, missing) {
    const picture = item.urls[layer] ? pictures.get(item, layer) : null;
    pane.resize(picture?.width ?? item.width ?? 512, picture?.height ?? item.height ?? 512);
    pane.context.clearRect(0, 0, pane.canvas.width, pane.canvas.height);
    if (picture) pane.say("");
    else pane.say(item.urls[layer] ? (pictures.problem(item, layer) ?? "Loading …") : missing);
    return picture;
  }

  #drawDepth() {
    const { values, there, width, height } = this.#depth;
    const table = this.#tables.get(this.colouring);
    const image = this.#dem.context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let at = 0; at < values.length; at += 1) pixels[at] = there[at] ? table[values[at]] : NO_PIXEL;
    this.#dem.context.putImageData(image, 0, 0);
  }

  /** The same pixel in both, also when the tile under a resting mouse changes. */
  #magnify() {
    const pixel = this.#item && this.#pixel;
    this.stage.classList.toggle("pointing", Boolean(pixel));
    for (const pane of [this.#rgb, this.#dem]) {
      if (pixel) pane.magnify(pixel);
    }
    this.#rgb.readout.textContent = pixel ? this.#colourAt(pixel) : "";
    this.#dem.readout.textContent = pixel ? this.#heightAt(pixel) : "";
  }

  #colourAt({ col, row }) {
    const [red, green, blue] = this.#rgb.context.getImageData(col, row, 1, 1).data;
    return `${col}, ${row}: RGB ${red}, ${green}, ${blue}`;
  }

  /** Only as exact as 256 steps between the lowest and the highest ground are. */
  #heightAt({ col, row }) {
    const { dem_min: low, dem_max: high } = this.#item;
    const at = row * this.#dem.canvas.width + col;
    if (!this.#depth || low === null || low === undefined) return "";
    if (!this.#depth.there[at]) return `${col}, ${row}: no height`;
    const metres = low + (this.#depth.values[at] / 255) * (high - low);
    return `${col}, ${row}: ≈ ${metres.toFixed(high - low < 100 ? 1 : 0)} m`;
  }
}
