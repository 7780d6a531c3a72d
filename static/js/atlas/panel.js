// Words around the map: the legend, the tile under the pointer, what is selected, and the table of counts.

import { el } from "../lib/dom.js";
import { STATE_COLOURS, worded } from "./colours.js";

const RANGES_SHOWN = 12;
const grouped = (number) => number.toLocaleString("en");

function part(name) {
  return document.querySelector(`[data-part=${name}]`);
}

/** One swatch and its words. */
function entry(colour, words, count) {
  const swatch = el("span", { class: "atlas-swatch", "aria-hidden": "true" });
  swatch.style.background = colour;
  return el("li", {}, swatch, `${words} `, el("span", { class: "soft" }, grouped(count)));
}

export function showLegend(scheme, measure) {
  const items = scheme.legend.map((line) => entry(...line));
  if (scheme.ramp) {
    const { colours, low, high } = scheme.ramp;
    const bar = el("span", { class: "atlas-ramp", "aria-hidden": "true" });
    bar.style.background = `linear-gradient(to right, ${colours.filter((_, at) => at % 15 === 0).join(",")})`;
    items.unshift(el("li", {}, `${worded(low, measure)} and less `, bar, ` ${worded(high, measure)} and more`));
  }
  part("legend").replaceChildren(...items);
}

/** What is known of a tile, in words, with what its colour says; null for none. */
export function describe(tiles, row, page, scheme) {
  if (row === undefined) return null;
  const { columns } = tiles;
  const state = page.states[columns.state[row]];
  const reason = page.reasons[columns.reason[row]];
  const words = [`tile_${columns.index[row]}`, reason ? `${state}: ${reason.toLowerCase()}` : state];
  if (columns.landform[row]) words.push(page.landforms[columns.landform[row]]);
  for (const [name, measure] of Object.entries(page.measures)) {
    const value = columns[name][row];
    if (!Number.isNaN(value)) words.push(`${measure.label.toLowerCase()} ${worded(value, measure)}`);
  }
  if (scheme?.words) words.push(scheme.words(row));
  return { state, text: words };
}

export function showTile(found) {
  const place = part("tile");
  if (!found) {
    place.replaceChildren(el("span", { class: "soft" }, place.dataset.idle));
    return;
  }
  const [name, ...rest] = found.text;
  const swatch = el("span", { class: "atlas-swatch", "aria-hidden": "true" });
  swatch.style.background = STATE_COLOURS[found.state];
  place.replaceChildren(el("strong", {}, name), " ", swatch, rest.join(" · "));
}

/** Numbers as ranges: 3, 5–9. */
export function ranges(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
}

/** Show which tiles are selected. built: those of them that can be reviewed. */
export function showSelection(numbers, built, page) {
  part("selection").hidden = !numbers.length;
  if (!numbers.length) return;
  const listed = ranges(numbers);
  const more = listed.length - RANGES_SHOWN;
  part("selected-count").textContent = `${grouped(numbers.length)} ${numbers.length === 1 ? "tile" : "tiles"} selected`;
  part("selected-list").textContent = listed.slice(0, RANGES_SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
  document.getElementById("selected-numbers").textContent = numbers.join("\n");
  part("selected-review").hidden = !built.length;
  part("selected-review").href = reviewUrl(page, built[0]);
}

export function reviewUrl(page, index) {
  return `${page.urls.review}?state=&tile=${index}`;
}

/** The counts of the table, from the same array as the map. */
export function showCounts(tiles, page) {
  const counts = page.states.map(() => 0);
  let lost = 0;
  for (let row = 0; row < tiles.count; row++) {
    counts[tiles.columns.state[row]] += 1;
    lost += !tiles.placed(row);
  }
  page.states.forEach((state, at) => {
    part(`count-${state}`).textContent = grouped(counts[at]);
  });
  part("lost").hidden = !lost;
  part("lost").textContent = `${grouped(lost)} ${lost === 1 ? "tile has" : "tiles have"} no place and cannot be drawn.`;
}

export function showProblem(text) {
  part("problem").hidden = !text;
  part("problem").textContent = text;
}
