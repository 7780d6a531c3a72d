// The layers of the tiles around the one on the screen: fetched, decoded and shaded before they are asked for, and let
// go when they are far away. What is drawn on the way of a key lies here as bitmaps.

import { DEFAULTS, HEIGHTS, LAYERS, NO_HEIGHTS, detailOf, recipeOf } from "./catalogue.js";
import { Studio } from "./studio.js";

const AT_ONCE = 4;
const BUDGET = 256 * 2 ** 20;
const RETRY = 3_000;
const OFFLINE = "The picture does not load: there is no connection to the server. Trying again.";

/**
 * Events, each with detail {index}: `ready` when layers of a tile came or were shaded anew; `changed` when the server
 * has newer ones than the item says; `failed` with a message too.
 */
export class Layers extends EventTarget {
  chosen = DEFAULTS.layers;
  settings = DEFAULTS.settings;
  #studio;
  #areaRange;
  #parts = new Map();
  #wanted = [];
  #busy = 0;
  #shading = false;
  #pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  /** worker: address of viewer/worker.js. tables: name -> base64. areaRange: [lowest, highest] of the area, or null. */
  constructor({ worker, tables, areaRange }) {
    super();
    this.#studio = new Studio(worker, tables);
    this.#areaRange = areaRange;
  }

  label(layer) {
    return LAYERS[layer].label;
  }

  detail(layer) {
    return detailOf(layer, this.settings, this.#areaRange);
  }

  /** Show other layers, or the same in another order. */
  choose(layers) {
    this.chosen = layers;
    this.#evict();
    this.#work();
  }

  /** Change some settings; what is loaded is shaded anew, the tile on the screen first. */
  set(settings) {
    this.settings = { ...this.settings, ...settings };
    this.#work();
  }

  /** Say which tiles are wanted, the most urgent first. All others are let go. */
  want(items) {
    this.#wanted = items;
    this.#evict();
    this.#work();
  }

  /** Whether all chosen layers that the tile has can be drawn at once, and there is at least one. */
  has(item) {
    const layers = this.#layersOf(item);
    return layers.length > 0 && layers.every((layer) => this.bitmap(item, layer));
  }

  /** At once, or null. It may be closed later: ask again for each drawing. */
  bitmap(item, layer) {
    const part = this.#part(item, layer);
    return (LAYERS[layer].shaded ? part?.shaded.get(layer)?.bitmap : part?.bitmap) ?? null;
  }

  /** Why a layer cannot be drawn; null while there is hope. */
  problem(item, layer) {
    const { source, missing } = LAYERS[layer];
    if (!item.urls[source]) return missing ?? NO_HEIGHTS;
    return this.#part(item, layer)?.problem ?? null;
  }

  /** {width, height, dx, dy, northUp, data} as viewer/shading.js unpacks it, or null. */
  heights(item) {
    return this.#parts.get(item.urls[HEIGHTS])?.heights ?? null;
  }

  /** The 8-bit values of a pixel as [red, green, blue], or null. */
  rgb(item, layer, col, row) {
    const bitmap = this.bitmap(item, layer);
    if (!bitmap || col < 0 || row < 0 || col >= bitmap.width || row >= bitmap.height) return null;
    this.#pixel.clearRect(0, 0, 1, 1);
    this.#pixel.drawImage(bitmap, col, row, 1, 1, 0, 0, 1, 1);
    const [red, green, blue, there] = this.#pixel.getImageData(0, 0, 1, 1).data;
    return there ? [red, green, blue] : null;
  }

  #part(item, layer) {
    return this.#parts.get(item.urls[LAYERS[layer].source]) ?? null;
  }

  /** Those that are chosen and that the tile has. */
  #layersOf(item) {
    return this.chosen.filter((layer) => item.urls[LAYERS[layer].source]);
  }

  /** What to fetch: the sources of the wanted layers, then the heights of every tile for the read-out. */
  #wishes() {
    const wishes = this.#wanted.flatMap((item) => this.#layersOf(item).map((layer) => [item, LAYERS[layer].source]));
    return [...wishes, ...this.#wanted.filter((item) => item.urls[HEIGHTS]).map((item) => [item, HEIGHTS])];
  }

  #work() {
    this.#fill();
    this.#shade();
  }

  #fill() {
    const near = this.#affordable();
    for (const [item, source] of this.#wishes()) {
      if (this.#busy >= AT_ONCE) return;
      if (near.has(item) && !this.#parts.has(item.urls[source])) this.#load(item, source);
    }
  }

  /** The tiles that memory is spent on: as many as the budget has room for, always the one on the screen. */
  #affordable() {
    let used = 0;
    return new Set(
      this.#wanted.filter((item, at) => {
        used += 4 * (item.width ?? 512) * (item.height ?? 512) * (this.#layersOf(item).length + 1);
        return at === 0 || used <= BUDGET;
      }),
    );
  }

  async #load(item, source) {
    const url = item.urls[source];
    const part = { item, source, bitmap: null, heights: null, shaded: new Map(), problem: null };
    this.#parts.set(url, part);
    this.#busy += 1;
    try {
      const response = await fetch(url, { headers: { "X-Requested-With": "fetch" }, credentials: "same-origin" }).catch(() => null);
      if (!response) this.#again(url, part, OFFLINE);
      else if (!response.ok) await this.#refused(response, url, part);
      else if (response.redirected) this.#tell("changed", item);
      else await this.#decode(response, url, part);
    } finally {
      this.#busy -= 1;
    }
    if (this.#parts.get(url) !== part) close(part);
    else this.#tell("ready", item);
    this.#work();
  }

  async #decode(response, url, part) {
    const body = await response.blob().catch(() => null);
    if (!body) {
      this.#again(url, part, OFFLINE);
      return;
    }
    try {
      if (part.source === HEIGHTS) part.heights = await this.#studio.heights(await body.arrayBuffer());
      else part.bitmap = await this.#studio.picture(body);
    } catch (error) {
      this.#fail(part, `The picture cannot be decoded (${error.message}). Reload the page.`);
    }
  }

  async #refused(response, url, part) {
    const answer = await response.json().catch(() => null);
    const message = answer?.message ?? `The picture does not load: the server answered ${response.status}.`;
    if (response.status === 401 || response.status === 429 || response.status >= 500) this.#again(url, part, message);
    else this.#fail(part, message);
  }

  #fail(part, message) {
    part.problem = message;
    this.#tell("failed", part.item, { message });
  }

  #again(url, part, problem) {
    part.problem = problem;
    setTimeout(() => {
      if (this.#parts.get(url) === part) this.#parts.delete(url);
      this.#work();
    }, RETRY);
  }

  /** Shade what is loaded and not as the settings say, the most urgent first, one at a time. */
  async #shade() {
    if (this.#shading) return;
    this.#shading = true;
    for (let next = this.#unshaded(); next; next = this.#unshaded()) {
      const { part, recipe, key } = next;
      const bitmap = await this.#studio.shade(part.heights, recipe).catch((error) => this.#fail(part, `Not drawn: ${error.message}.`));
      part.shaded.get(recipe.layer)?.bitmap?.close();
      part.shaded.set(recipe.layer, { key, bitmap: bitmap ?? null });
      if (this.#parts.get(part.item.urls[HEIGHTS]) === part) this.#tell("ready", part.item);
      else close(part);
    }
    this.#shading = false;
  }

  #unshaded() {
    for (const item of this.#wanted) {
      const part = this.#parts.get(item.urls[HEIGHTS]);
      if (!part?.heights) continue;
      for (const layer of this.#layersOf(item).filter((each) => LAYERS[each].shaded)) {
        const recipe = recipeOf(layer, this.settings, this.#areaRange);
        const key = JSON.stringify(recipe);
        if (part.shaded.get(layer)?.key !== key) return { part, recipe, key };
      }
    }
    return null;
  }

  /** Close what nobody wants any more: whole tiles, and layers that are not chosen now. */
  #evict() {
    const wanted = new Set(this.#wishes().map(([item, source]) => item.urls[source]));
    const layers = new Set(this.chosen);
    for (const [url, part] of this.#parts) {
      for (const [layer, { bitmap }] of part.shaded) {
        if (layers.has(layer)) continue;
        bitmap?.close();
        part.shaded.delete(layer);
      }
      if (wanted.has(url)) continue;
      close(part);
      this.#parts.delete(url);
    }
  }

  #tell(name, item, more = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail: { index: item.index, ...more } }));
  }
}

function close(part) {
  part.bitmap?.close();
  for (const { bitmap } of part.shaded.values()) bitmap?.close();
  part.shaded.clear();
}
