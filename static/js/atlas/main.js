// The atlas: an area's tiles in true place, drawn from one array that is kept up to date.

import { Keymap } from "../lib/keymap.js";
import { Keys } from "../lib/keys.js";
import { KeysDialog } from "../lib/keysdialog.js";
import { Preferences } from "../lib/preferences.js";
import { remembered } from "../review/address.js";
import { Colourings } from "./colourings.js";
import { schemeOf } from "./colours.js";
import { Places, Tiles, fetchTiles } from "./data.js";
import { listen } from "./gestures.js";
import { Painter } from "./painter.js";
import { describe, reviewUrl, showCounts, showLegend, showProblem, showSelection, showTile } from "./panel.js";
import { Pictures } from "./pictures.js";
import { View } from "./view.js";

const REFRESH_MS = 4000;
const LOOK = "demeter.atlas.look";
const page = JSON.parse(document.getElementById("atlas-page").textContent);
const root = document.getElementById("atlas");
const map = document.getElementById("atlas-map");
const canvas = map.querySelector("canvas");
const focused = document.getElementById("atlas-focused");
const controls = { by: document.getElementById("atlas-by"), strength: document.getElementById("atlas-strength") };

const tiles = new Tiles();
const view = new View();
const pictures = new Pictures(page, tiles, (key) => {
  painter.arrived(key);
  draw();
});
const painter = new Painter(canvas, tiles, pictures);
const colourings = new Colourings(page.colourings, {
  arrived: () => places && recolour(),
  failed: ({ message }) => showProblem(`${message} Choose the colours again.`),
});
let places = null;
let hovered;
let box = null;
let byKeyboard = false;
let drawing = 0;

const style = getComputedStyle(map);
const token = (name) => style.getPropertyValue(name);

function draw() {
  if (drawing) return;
  root.dataset.ready = "false";
  drawing = requestAnimationFrame(frame);
}

function frame() {
  drawing = 0;
  if (!places) return;
  const complete = painter.frame(view, token("background-color"));
  overlay();
  root.dataset.view = `${view.x} ${view.y} ${view.scale}`;
  root.dataset.ready = String(complete && pictures.idle);
  if (!complete) draw();
}

/** Above the pieces: the tile that is meant, and the rectangle that is being drawn. */
function overlay() {
  const context = canvas.getContext("2d");
  const row = byKeyboard ? centred() : hovered;
  if (row !== undefined) {
    const corners = tiles.columns.corners.subarray(row * 8, row * 8 + 8);
    const path = new Path2D();
    for (let at = 0; at < 8; at += 2) path.lineTo(...view.toScreen(corners[at], corners[at + 1]));
    path.closePath();
    for (const [width, colour] of [[5, "#000"], [2, "#fff"]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke(path);
    }
  }
  if (box) {
    const [[ax, ay], [bx, by]] = box;
    context.lineWidth = 2;
    context.strokeStyle = painter.accent;
    context.strokeRect(ax, ay, bx - ax, by - ay);
  }
}

function centred() {
  return places?.at(...view.toPlane(view.width / 2, view.height / 2));
}

/** Say which tile is meant: the one under the pointer, or in the middle while the keyboard moves the map. */
function read() {
  const row = byKeyboard ? centred() : hovered;
  const found = places && describe(tiles, row, page, painter.scheme);
  showTile(found);
  const middle = byKeyboard ? row : centred();
  const open = middle !== undefined && isBuilt(middle);
  focused.hidden = !open;
  if (!open) return;
  focused.href = reviewUrl(page, tiles.columns.index[middle]);
  focused.textContent = `Open tile_${tiles.columns.index[middle]}, in the middle`;
}

/** A built tile has one of the review states. */
function isBuilt(row) {
  return !["planned", "failed"].includes(page.states[tiles.columns.state[row]]);
}

function moved() {
  read();
  draw();
}

function restyle({ keep = true } = {}) {
  const by = controls.by.value;
  const scheme = colourings.schemeOf(by, tiles) ?? schemeOf(by, tiles, page);
  painter.scheme = { ...scheme, signs: by === "state" ? page.states : null };
  painter.strength = Number(controls.strength.value) / 100;
  painter.accent = token("caret-color");
  controls.strength.disabled = !by;
  showLegend(scheme, page.measures[by]);
  if (!keep) painter.restart();
}

function relook() {
  remembered("localStorage", LOOK, JSON.stringify([controls.by.value, controls.strength.value]));
  recolour();
}

function recolour() {
  restyle({ keep: false });
  moved();
}

function select(rows, { add = false } = {}) {
  const before = painter.selected;
  painter.selected = new Set([...(add ? before : []), ...rows.map((row) => tiles.columns.index[row])]);
  const numbers = [...painter.selected].sort((one, other) => one - other);
  showSelection(numbers, numbers.filter((index) => isBuilt(tiles.rowOf(index))), page);
  painter.redraw([...new Set([...before, ...numbers])].map((index) => tiles.rowOf(index)));
  root.dataset.selected = String(numbers.length);
  draw();
}

const act = {
  pan(dx, dy) {
    view.pan(dx, dy);
    moved();
  },
  zoom(steps, px, py) {
    const before = view.step;
    view.zoom(steps, px, py);
    if (view.step !== before) painter.leave();
    moved();
  },
  fit() {
    if (places?.bounds) view.fit(places.bounds, places.side);
    painter.leave();
    moved();
  },
  hover(px, py) {
    byKeyboard = false;
    hovered = px === null ? undefined : places?.at(...view.toPlane(px, py));
    moved();
  },
  click(px, py) {
    const row = places?.at(...view.toPlane(px, py));
    if (row === undefined) select([]);
    else open(row);
  },
  box(from, to, { done = false, add = false } = {}) {
    box = from && !done ? [from, to] : null;
    if (done) {
      const [[west, south], [east, north]] = [
        view.toPlane(Math.min(from[0], to[0]), Math.max(from[1], to[1])),
        view.toPlane(Math.max(from[0], to[0]), Math.min(from[1], to[1])),
      ];
      select([...places.within(west, south, east, north)], { add });
    }
    draw();
  },
  key(name) {
    const row = centred();
    if (row !== undefined && name === "Enter") open(row);
    else if (row !== undefined) toggle(row);
  },
  keyboard() {
    byKeyboard = true;
    moved();
  },
};

function toggle(row) {
  const index = tiles.columns.index[row];
  const others = [...painter.selected].filter((other) => other !== index).map((other) => tiles.rowOf(other));
  select(painter.selected.has(index) ? others : [...others, row]);
}

function open(row) {
  if (isBuilt(row)) location.assign(reviewUrl(page, tiles.columns.index[row]));
  else {
    const found = describe(tiles, row, page, painter.scheme);
    showTile({ ...found, text: [...found.text, "not built: nothing to review"] });
  }
}

/** Get what has changed, and draw that anew. */
async function refresh() {
  try {
    const answer = await fetchTiles(page.urls.tiles, tiles.token);
    const first = !tiles.token;
    const before = tiles.count;
    const changed = tiles.take(answer);
    document.getElementById("signed-out").hidden = true;
    showProblem("");
    if (changed?.length === 0) return;
    if (!changed || tiles.count !== before) painter.places = places = new Places(tiles);
    restyle();
    showCounts(tiles, page);
    if (changed) painter.redraw(changed);
    else painter.restart();
    root.dataset.token = tiles.token;
    if (first) act.fit();
    moved();
  } catch (failure) {
    if (!("status" in failure)) throw failure;
    document.getElementById("signed-out").hidden = failure.status !== 401;
    showProblem(failure.status === 401 ? "" : `${failure.message} What is drawn may be old; it is asked for again by itself.`);
  }
}

async function follow() {
  if (document.visibilityState === "visible") await refresh();
  setTimeout(follow, REFRESH_MS);
}

function resize() {
  canvas.width = Math.max(1, Math.round(map.clientWidth * devicePixelRatio));
  canvas.height = Math.max(1, Math.round(map.clientHeight * devicePixelRatio));
  view.resize(canvas.width, canvas.height);
  moved();
}

/** The buttons and their keys; on the map, a key lets the tile in the middle be described. */
function listenToKeys() {
  const keys = new Keys();
  const preferences = new Preferences({ values: page.preferences, url: page.urls.preferences, person: page.person });
  const keymap = new Keymap(root, { page: "atlas", preferences });
  const dialog = new KeysDialog(document.getElementById("keys"), keys, keymap);
  const does = { in: () => act.zoom(2), out: () => act.zoom(-2), fit: act.fit, clear: () => select([]), help: () => dialog.open() };
  for (const [name, action] of Object.entries(does)) root.querySelector(`[data-action=${name}]`).addEventListener("click", action);
  const byKey = (action) => () => {
    action();
    if (document.activeElement === map) act.keyboard();
  };
  keys.follow(keymap, Object.fromEntries(Object.entries(does).map(([name, action]) => [name, byKey(action)])));
}

function start() {
  const drags = [...document.querySelectorAll("[name=atlas-drag]")];
  if (matchMedia("(pointer: coarse)").matches) drags.find((choice) => choice.value === "move").checked = true;
  const mode = () => drags.find((choice) => choice.checked).value;
  for (const choice of drags) choice.addEventListener("change", () => { map.dataset.drag = mode(); });
  map.dataset.drag = mode();
  const [by, strength] = JSON.parse(remembered("localStorage", LOOK) ?? "[]");
  if (by !== undefined) [controls.by.value, controls.strength.value] = [by, strength];
  controls.by.addEventListener("change", relook);
  controls.strength.addEventListener("input", relook);
  listenToKeys();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", relook);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
  map.addEventListener("focus", () => map.matches(":focus-visible") && act.keyboard());
  map.addEventListener("blur", () => { byKeyboard = false; draw(); });
  new ResizeObserver(resize).observe(map);
  resize();
  listen(map, act, mode);
  follow();
}

start();
