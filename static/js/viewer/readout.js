// What a pixel says: colours as they are stored, heights in metres.

const HEIGHTS = new Set(["dem", "colour", "hillshade", "slope"]);
const GREY = new Set(["dem255", "nir", "sar"]);

const METRES = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** "10, 20: RGB 1, 2, 3", "10, 20: 98 of 255" or "10, 20: 1,874.0 m"; column and row first. */
export function readout(layers, item, layer, pixel) {
  const value = HEIGHTS.has(layer) ? heightWords(layers.heights(item), pixel) : colourWords(layers, item, layer, pixel);
  return value && `${pixel.col}, ${pixel.row}: ${value}`;
}

/** Of two layers on each other: both. */
export function readoutOfTwo(layers, item, pair, pixel) {
  const [one, other] = pair.map((layer) => readout(layers, item, layer, pixel));
  return [one, other !== one && other.slice(other.indexOf(":") + 2)].filter(Boolean).join(" · ");
}

function colourWords(layers, item, layer, { col, row }) {
  const colour = layers.rgb(item, layer, col, row);
  if (!colour) return "no value";
  return GREY.has(layer) ? `${colour[0]} of 255` : `RGB ${colour.join(", ")}`;
}

function heightWords(heights, { col, row }) {
  if (!heights) return "";
  const metres = heights.data[row * heights.width + col];
  if (Number.isNaN(metres)) return "no height";
  return `${METRES.format(metres)} m`;
}
