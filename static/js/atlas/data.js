// The array of an area: one typed array a column, and its changes.

import { Failure } from "../lib/http.js";

const MAGIC = "ATLAS1\0\0";
const ARRAYS = { Uint32: Uint32Array, Float32: Float32Array, Uint8: Uint8Array };

/** Bytes from the server. Throws a Failure. */
export async function fetchBytes(url) {
  let response;
  try {
    const headers = { "X-Requested-With": "fetch" };
    response = await fetch(url, { headers, credentials: "same-origin", redirect: "error" });
  } catch {
    throw new Failure("There is no connection to the server.");
  }
  const binary = response.headers.get("Content-Type") === "application/octet-stream";
  if (!response.ok || !binary) {
    throw new Failure(`The server answered ${response.status}.`, { status: response.ok ? 0 : response.status });
  }
  return response.arrayBuffer();
}

/** What the server has: all of it, or what has changed since a token. Throws a Failure. */
export async function fetchTiles(url, since) {
  return decode(await fetchBytes(since ? `${url}?since=${since}` : url));
}

function decode(buffer) {
  const size = new DataView(buffer).getUint32(MAGIC.length, true);
  const text = new TextDecoder();
  if (text.decode(new Uint8Array(buffer, 0, MAGIC.length)) !== MAGIC) throw new Failure("The server sent no atlas.");
  const from = MAGIC.length + 4;
  const header = JSON.parse(text.decode(new Uint8Array(buffer, from, size)));
  const columns = {};
  let place = from + size;
  for (const { name, type, width } of header.columns) {
    columns[name] = new ARRAYS[type](buffer, place, header.count * width);
    place += columns[name].byteLength;
  }
  return { ...header, columns };
}

/** The tiles a page knows. A tile is its row; rows keep their places until everything is loaded anew. */
export class Tiles {
  count = 0;
  columns = {};
  pictures = new Map();
  token = "";
  #rows = new Map();

  rowOf(index) {
    return this.#rows.get(index);
  }

  /** Take an answer in. Returns the rows that changed, or null when everything did. */
  take({ token, whole, count, columns, pictures, columns: { index } }) {
    this.token = token;
    if (whole) {
      this.pictures.clear();
      this.#rows = new Map(Array.from(index, (number, row) => [number, row]));
      this.columns = columns;
      this.count = count;
    }
    for (const [block, digest] of Object.entries(pictures)) this.pictures.set(Number(block), digest);
    if (whole) return this.#bound(0, count);
    const added = index.reduce((sum, number) => sum + !this.#rows.has(number), 0);
    if (added) this.#grow(this.count + added);
    const changed = [];
    for (let from = 0; from < count; from++) changed.push(this.#put(columns, from));
    return changed;
  }

  #grow(size) {
    for (const [name, old] of Object.entries(this.columns)) {
      const width = name === "corners" ? 8 : name === "box" ? 4 : 1;
      const larger = new old.constructor(size * width);
      larger.set(old);
      this.columns[name] = larger;
    }
  }

  #put(columns, from) {
    const index = columns.index[from];
    if (!this.#rows.has(index)) this.#rows.set(index, this.count++);
    const row = this.#rows.get(index);
    for (const [name, values] of Object.entries(columns)) {
      const width = name === "corners" ? 8 : 1;
      this.columns[name].set(values.subarray(from * width, (from + 1) * width), row * width);
    }
    this.#bound(row, row + 1);
    return row;
  }

  /** The box of each row: west, south, east, north. */
  #bound(from, to) {
    this.columns.box ??= new Float32Array(this.count * 4);
    const { corners, box } = this.columns;
    for (let row = from; row < to; row++) {
      const [x0, y0, x1, y1, x2, y2, x3, y3] = corners.subarray(row * 8, row * 8 + 8);
      box[row * 4] = Math.min(x0, x1, x2, x3);
      box[row * 4 + 1] = Math.min(y0, y1, y2, y3);
      box[row * 4 + 2] = Math.max(x0, x1, x2, x3);
      box[row * 4 + 3] = Math.max(y0, y1, y2, y3);
    }
    return null;
  }

  placed(row) {
    return !Number.isNaN(this.columns.box[row * 4]);
  }

  /** Whether a point in the plane lies in the tile. */
  holds(row, x, y) {
    const corners = this.columns.corners.subarray(row * 8, row * 8 + 8);
    let inside = false;
    for (let at = 0, last = 3; at < 4; last = at++) {
      const [ax, ay, bx, by] = [corners[at * 2], corners[at * 2 + 1], corners[last * 2], corners[last * 2 + 1]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  }
}

/** Which tiles lie where: buckets of the plane, about as large as a few tiles. */
export class Places {
  bounds = null;
  #tiles;
  #size = 1;
  #buckets = new Map();

  constructor(tiles) {
    this.#tiles = tiles;
    const { box } = tiles.columns;
    let [west, south, east, north, sides, placed] = [Infinity, Infinity, -Infinity, -Infinity, 0, 0];
    for (let row = 0; row < tiles.count; row++) {
      if (!tiles.placed(row)) continue;
      west = Math.min(west, box[row * 4]);
      south = Math.min(south, box[row * 4 + 1]);
      east = Math.max(east, box[row * 4 + 2]);
      north = Math.max(north, box[row * 4 + 3]);
      sides += box[row * 4 + 2] - box[row * 4];
      placed += 1;
    }
    if (!placed) return;
    this.bounds = { west, south, east, north };
    this.side = sides / placed;
    this.#size = this.side * 4;
    for (let row = 0; row < tiles.count; row++) this.#add(row);
  }

  #add(row) {
    if (!this.#tiles.placed(row)) return;
    const [west, south, east, north] = this.#tiles.columns.box.subarray(row * 4, row * 4 + 4);
    this.#each(west, south, east, north, (key) => {
      if (!this.#buckets.has(key)) this.#buckets.set(key, []);
      this.#buckets.get(key).push(row);
    });
  }

  #each(west, south, east, north, visit) {
    const to = (value) => Math.floor(value / this.#size);
    for (let row = to(south); row <= to(north); row++) {
      for (let col = to(west); col <= to(east); col++) visit(row * 4_194_304 + col);
    }
  }

  /** Rows that touch a box of the plane, in the order of their rows. */
  within(west, south, east, north) {
    const found = new Set();
    if (!this.bounds) return [];
    const { box } = this.#tiles.columns;
    const { bounds } = this;
    const clipped = [
      ...[Math.max(west, bounds.west), Math.max(south, bounds.south)],
      ...[Math.min(east, bounds.east), Math.min(north, bounds.north)],
    ];
    this.#each(...clipped, (key) => {
      for (const row of this.#buckets.get(key) ?? []) {
        const at = row * 4;
        if (box[at] < east && box[at + 2] > west && box[at + 1] < north && box[at + 3] > south) found.add(row);
      }
    });
    return Uint32Array.from(found).sort();
  }

  /** The tile at a point, the last where several lie; undefined where none does. */
  at(x, y) {
    return this.within(x, y, x, y).findLast((row) => this.#tiles.holds(row, x, y));
  }
}
