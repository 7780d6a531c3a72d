// Colourings that other parts of the site add: a code for some of the tiles, read when it is first asked for.

import { Failure } from "../lib/http.js";
import { fetchBytes } from "./data.js";

export class Colourings {
  #known;
  #codes = new Map(); // value -> number of a tile -> code; null while it is on its way
  #arrived;
  #failed;

  /** known: {value, url, legend: [label, colour] by code}. arrived() when there is more to show; failed(failure). */
  constructor(known, { arrived, failed }) {
    this.#known = new Map(known.map((each) => [each.value, each]));
    this.#arrived = arrived;
    this.#failed = failed;
  }

  /** The scheme of a colouring, empty while it is on its way; null when there is none of this name. */
  schemeOf(value, tiles) {
    const known = this.#known.get(value);
    if (!known) return null;
    if (!this.#codes.has(value)) this.#load(known);
    const codeOf = this.#codes.get(value);
    if (!codeOf) return { of: () => -1, colours: [], legend: [] };
    const codes = Uint8Array.from({ length: tiles.count }, (_, row) => codeOf.get(tiles.columns.index[row]) ?? 0);
    const counts = known.legend.map(() => 0);
    for (const code of codes) counts[code] += 1;
    return {
      of: (row) => codes[row],
      words: (row) => known.legend[codes[row]][0],
      colours: known.legend.map(([, colour]) => colour),
      legend: known.legend.map(([label, colour], code) => [colour, label, counts[code]]).filter(([, , count]) => count),
    };
  }

  async #load({ value, url }) {
    this.#codes.set(value, null);
    try {
      this.#codes.set(value, decoded(await fetchBytes(url)));
      this.#arrived();
    } catch (failure) {
      this.#codes.delete(value);
      if (!(failure instanceof Failure)) throw failure;
      this.#failed(failure);
    }
  }
}

/** number of a tile -> code. */
function decoded(buffer) {
  const count = new DataView(buffer).getUint32(0, true);
  const numbers = new Uint32Array(buffer, 4, count);
  const codes = new Uint8Array(buffer, 4 + 4 * count, count);
  return new Map(Array.from(numbers, (number, at) => [number, codes[at]]));
}
