// What a tile is coloured by, and the legend that says so.

// Of different lightness, so that they can be told apart without their hue; the word stands in the legend and read-out.
export const STATE_COLOURS = {
  pending: "#9a9a9a",
  approved: "#1f8a5b",
  rejected: "#d9483b",
  unsure: "#e8b93a",
  planned: "#5c6f82",
  failed: "#5a2a6e",
  second: "#6fb3d9",
  disputed: "#e58fc0",
};
export const STATE_SIGNS = { approved: "✓", rejected: "✕", unsure: "?", failed: "!", second: "◐", disputed: "≠" };
const LANDFORM_COLOURS = ["#777777", "#3f6fb5", "#a8d08d", "#e3d48a", "#d19a4a", "#9c5b34", "#f2efe9"];
const UNKNOWN = "#777777";
const [LOW, HIGH] = [0.02, 0.98];

/** A number as the read-out and the legend show it. */
export function worded(value, { unit = "" } = {}) {
  if (Number.isNaN(value)) return "unknown";
  const shown = unit === "%" ? value * 100 : value;
  const digits = Math.abs(shown) >= 100 ? 0 : Math.abs(shown) >= 10 ? 1 : 2;
  return `${Number(shown.toFixed(digits))}${unit === "°" ? unit : unit && ` ${unit}`}`;
}

/** A scheme: of(row) is the place of a colour in `colours`, or -1 for none; legend: [colour, words, how many]. */
export function schemeOf(name, tiles, page) {
  if (!name) return { of: () => -1, colours: [], legend: [] };
  if (name === "state") return byName(tiles, "state", page.states, page.states.map((state) => STATE_COLOURS[state]));
  if (name === "landform") return byName(tiles, "landform", page.landforms, LANDFORM_COLOURS);
  return byMeasure(tiles, name, page);
}

function byName(tiles, column, names, colours) {
  const values = tiles.columns[column];
  const counts = names.map(() => 0);
  for (let row = 0; row < tiles.count; row++) counts[values[row]] += 1;
  const legend = names.map((name, at) => [colours[at], name, counts[at]]).filter(([, , count]) => count);
  return { of: (row) => values[row], colours, legend };
}

function byMeasure(tiles, name, page) {
  const values = tiles.columns[name];
  const known = values.slice(0, tiles.count).filter((value) => !Number.isNaN(value)).sort();
  const low = known[Math.floor((known.length - 1) * LOW)] ?? 0;
  const high = known[Math.ceil((known.length - 1) * HIGH)] ?? 0;
  const colours = Array.from({ length: 256 }, (_, at) => `rgb(${page.ramp.slice(at * 3, at * 3 + 3).join(",")})`);
  const span = high - low || 1;
  const of = (row) => {
    const share = (values[row] - low) / span;
    return Number.isNaN(share) ? 256 : Math.max(0, Math.min(255, Math.floor(share * 256)));
  };
  const unknown = tiles.count - known.length;
  return {
    of,
    colours: [...colours, UNKNOWN],
    ramp: known.length ? { colours, low, high } : null,
    legend: unknown ? [[UNKNOWN, "unknown", unknown]] : [],
  };
}
