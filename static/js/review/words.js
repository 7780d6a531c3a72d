// Tiles and decisions in words.

const wholes = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const VERB_WORDS = { approve: "approved", reject: "rejected", unsure: "left unsure", undo: "undone", reset: "put back to pending", tag: "tagged", assign: "assigned" };
export const SIGNS = { approve: "✓", reject: "✕", unsure: "?" };

export function number(value) {
  return wholes.format(value);
}

export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function degrees(value, positive, negative) {
  return `${Math.abs(value).toFixed(2)}° ${value < 0 ? negative : positive}`;
}

function percent(share) {
  const value = 100 * share;
  return `${value > 0 && value < 0.1 ? "< 0.1" : tenths.format(value)} %`;
}

function metres(value, high = value) {
  return Math.abs(high) < 100 ? tenths.format(value) : wholes.format(value);
}

/** What is known of a tile as [name, text], in a fixed order; the text is empty where nothing is known. */
export function factsOf(item) {
  const known = (value, write) => (value === null || value === undefined ? "" : write(value));
  return {
    place: known(item.lat, (lat) => `${degrees(lat, "N", "S")} ${degrees(item.lon, "E", "W")}`),
    gsd: known(item.gsd, (gsd) => `${gsd < 10 ? tenths.format(gsd) : wholes.format(gsd)} m a pixel`),
    heights: known(item.dem_min, (low) => `${metres(low, item.dem_max)} to ${metres(item.dem_max)} m`),
    relief: known(item.relief, (relief) => `${metres(relief)} m`),
    slope: known(item.slope, (slope) => `${tenths.format(slope)}°`),
    landform: item.landform,
    water: known(item.water_share, percent),
    void: known(item.void_share, percent),
    score: known(item.score, (score) => `${score.toFixed(2)}${item.causes.length ? `: ${item.causes.join(", ")}` : ""}`),
    shift: item.score === null ? "" : item.shift_px === null ? "unknown" : `${tenths.format(item.shift_px)} px`,
    file: item.dem_file,
    window: known(item.window, ([col, row]) => `column ${col}, row ${row}`),
  };
}

const STATE_WORDS = { second: "waiting for a second look", disputed: "disputed" };

/** `rejected: Cloud or haze`. */
export function stateWords({ state, reason }, reasons) {
  const label = reason && (reasons.find((each) => each.code === reason)?.label ?? reason);
  const words = STATE_WORDS[state] ?? state;
  return label ? `${words}: ${label}` : words;
}

/** `14:05`. */
export function hour(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

export function clock(at) {
  return new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
