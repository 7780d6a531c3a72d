// Pictures of tiles, fetched and decoded before they are asked for, and let go when they are far away.

const AT_ONCE = 4;
const BUDGET = 256 * 2 ** 20;
const RETRY = 3_000;

/** Colours: the bitmap as it is. */
async function colours(blob) {
  const bitmap = await createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
  return { bitmap, width: bitmap.width, height: bitmap.height, bytes: 4 * bitmap.width * bitmap.height };
}

/** 8-bit depth: the values and where there are none, so that any colour table can be put on without asking again. */
async function depth(blob) {
  const { bitmap, width, height } = await colours(blob);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const values = new Uint8Array(width * height);
  const there = new Uint8Array(width * height);
  for (let at = 0, from = 0; at < values.length; at += 1, from += 4) {
    values[at] = data[from];
    there[at] = data[from + 3];
  }
  return { values, there, width, height, bytes: 2 * values.length };
}

const DECODERS = { png: colours, dem255: depth };

/** Events: `ready` with detail the address; `changed` with detail the tile whose pixels are newer than it says. */
export class Pictures extends EventTarget {
  #entries = new Map();
  #wanted = [];
  #busy = 0;

  /** The decoded picture, at once, or null. */
  get(item, layer) {
    return this.#entries.get(item.urls[layer])?.picture ?? null;
  }

  /** Why a picture cannot be shown; null while there is hope. */
  problem(item, layer) {
    return this.#entries.get(item.urls[layer])?.problem ?? null;
  }

  /** Whether every picture of this tile that exists is decoded. */
  has(item) {
    return layersOf(item).every((layer) => this.get(item, layer));
  }

  /** Say which tiles are wanted, the most urgent first. The rest is let go when memory runs short. */
  want(items) {
    this.#wanted = items.flatMap((item) => layersOf(item).map((layer) => ({ item, layer, url: item.urls[layer] })));
    this.#evict();
    this.#fill();
  }

  #fill() {
    let used = this.#used();
    for (const wish of this.#wanted) {
      if (this.#busy >= AT_ONCE) return;
      if (this.#entries.has(wish.url)) continue;
      const size = 4 * (wish.item.width ?? 512) * (wish.item.height ?? 512);
      if (used + size > BUDGET && wish !== this.#wanted[0] && wish !== this.#wanted[1]) return;
      used += size;
      this.#load(wish);
    }
  }

  async #load({ item, layer, url }) {
    const entry = { picture: null, problem: null };
    this.#entries.set(url, entry);
    this.#busy += 1;
    try {
      const response = await fetch(url, { headers: { "X-Requested-With": "fetch" }, credentials: "same-origin" });
      if (!response.ok) await this.#failed(response, url, entry);
      else if (response.redirected) this.#tell("changed", item);
      else entry.picture = await DECODERS[layer](await response.blob());
    } catch {
      this.#again(url, entry, "The picture does not load: there is no connection to the server. Trying again.");
    }
    this.#busy -= 1;
    if (this.#entries.get(url) !== entry) entry.picture?.bitmap?.close();
    this.#tell("ready", url);
    this.#fill();
  }

  async #failed(response, url, entry) {
    const answer = await response.json().catch(() => null);
    const message = answer?.message ?? `The picture does not load: the server answered ${response.status}.`;
    if (response.status === 401 || response.status === 429 || response.status >= 500) this.#again(url, entry, message);
    else entry.problem = message;
  }

  #again(url, entry, problem) {
    entry.problem = problem;
    setTimeout(() => {
      if (this.#entries.get(url) === entry) this.#entries.delete(url);
      this.#fill();
    }, RETRY);
  }

  #used() {
    let used = 0;
    for (const { picture } of this.#entries.values()) used += picture?.bytes ?? 0;
    return used;
  }

  #evict() {
    const wanted = new Set(this.#wanted.map(({ url }) => url));
    for (const [url, { picture }] of this.#entries) {
      if (wanted.has(url)) continue;
      picture?.bitmap?.close();
      this.#entries.delete(url);
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** The layers that the review page shows of this tile. */
export function layersOf(item) {
  return Object.keys(DECODERS).filter((layer) => item.urls[layer]);
}
