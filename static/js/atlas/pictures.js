// Small pictures: sheets of a whole block, and single previews when few tiles are on the screen.

const AT_ONCE = 6;
const MOST_BYTES = 256e6;
const TRY_AGAIN_MS = 10_000;

/** An address of the page's pattern, whose numbers stand at 0. */
function sheetUrl(pattern, block, size, digest) {
  return `${pattern.replace("/0/0", `/${block}/${size}`)}?v=${digest}`;
}

export class Pictures {
  #page;
  #tiles;
  #arrived;
  #held = new Map(); // key -> bitmap, the one used last at the end
  #bytes = 0;
  #shown = new Map(); // block/size -> key of the sheet that was drawn last
  #failed = new Map();
  #asked = new Map();
  #loading = 0;

  /** arrived(key): a picture that was asked for is there. */
  constructor(page, tiles, arrived) {
    this.#page = page;
    this.#tiles = tiles;
    this.#arrived = arrived;
  }

  get idle() {
    return this.#loading === 0 && this.#asked.size === 0;
  }

  /** What to draw for a row at so many pixels: {image, sx, sy, size}, and the key of what would be better. */
  of(row, pixels) {
    const { columns } = this.#tiles;
    const index = columns.index[row];
    const [small, large] = this.#page.sizes;
    if (pixels <= small * 1.5) return this.#onSheet(index, small);
    if (pixels <= large * 1.5) return this.#onSheet(index, large);
    const url = this.#page.urls.layer.replace("/tiles/0/", `/tiles/${index}/`);
    const image = this.#want(`${url}?v=${columns.picture[row]}`);
    if (image.bitmap) return { image: image.bitmap, sx: 0, sy: 0, size: image.bitmap.width };
    const meanwhile = this.#onSheet(index, large);
    return { ...meanwhile, waits: image.waits ?? meanwhile.waits };
  }

  #onSheet(index, size) {
    const block = Math.floor(index / this.#page.block);
    const digest = this.#tiles.pictures.get(block);
    if (!digest) return {};
    const key = sheetUrl(this.#page.urls.sheet, block, size, digest);
    const { bitmap: newest, waits } = this.#want(key);
    const place = `${block}/${size}`;
    if (newest) this.#shown.set(place, key);
    // While a block is being built, its last sheet stands in for the next.
    const bitmap = newest ?? this.#held.get(this.#shown.get(place));
    if (!bitmap) return { waits };
    const slot = index % this.#page.block;
    const [col, row] = [slot % this.#page.side, Math.floor(slot / this.#page.side)];
    return { image: bitmap, sx: col * size, sy: row * size, size, waits };
  }

  #want(key) {
    const bitmap = this.#held.get(key);
    if (bitmap) {
      this.#held.delete(key);
      this.#held.set(key, bitmap);
      return { bitmap };
    }
    if (this.#failed.get(key) > performance.now()) return {};
    if (!this.#asked.has(key)) this.#asked.set(key, false);
    this.#next();
    return { waits: key };
  }

  /** Forget what was asked for and not begun: the screen has moved on. */
  forget() {
    for (const [key, begun] of this.#asked) if (!begun) this.#asked.delete(key);
  }

  #next() {
    for (const [key, begun] of this.#asked) {
      if (this.#loading >= AT_ONCE) return;
      if (begun) continue;
      this.#asked.set(key, true);
      this.#loading += 1;
      this.#load(key);
    }
  }

  async #load(key) {
    try {
      const response = await fetch(key, { headers: { "X-Requested-With": "fetch" } });
      if (!response.ok) throw new Error(String(response.status));
      this.#hold(key, await createImageBitmap(await response.blob()));
    } catch {
      this.#failed.set(key, performance.now() + TRY_AGAIN_MS);
    }
    this.#asked.delete(key);
    this.#loading -= 1;
    this.#arrived(key);
    this.#next();
  }

  #hold(key, bitmap) {
    this.#held.set(key, bitmap);
    this.#bytes += bitmap.width * bitmap.height * 4;
    for (const [old, image] of this.#held) {
      if (this.#bytes <= MOST_BYTES || old === key) return;
      this.#held.delete(old);
      this.#bytes -= image.width * image.height * 4;
      image.close();
    }
  }
}
