// Drawing the mosaic. The plane is cut into pieces of the screen's size, drawn once a step of zoom and kept: panning
// copies pieces, and only what has not been seen yet is drawn, a few milliseconds of it a frame.

import { STATE_SIGNS } from "./colours.js";
import { scaleOf } from "./view.js";

const PIECE = 512;
const MOST_PIECES = 96;
const BUDGET_MS = 7;
const SIGN_FROM = 28;
const EVERY = 64; // tiles between two looks at the clock

class Piece {
  constructor(step, col, row) {
    Object.assign(this, { step, col, row, rows: null, at: 0, fresh: true, waits: new Set() });
    this.canvas = new OffscreenCanvas(PIECE, PIECE);
    this.context = this.canvas.getContext("2d", { alpha: true });
  }

  /** Draw it anew; until then what is on it stays. */
  again() {
    this.rows = null;
    this.at = 0;
  }

  get done() {
    return this.rows !== null && this.at >= this.rows.length;
  }
}

export class Painter {
  #context;
  #tiles;
  #pictures;
  #pieces = new Map();
  #last = null; // the last complete frame, shown while a new step of zoom is drawn
  places = null;
  scheme = null;
  strength = 0;
  selected = new Set();
  accent = "#fff";

  constructor(canvas, tiles, pictures) {
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#tiles = tiles;
    this.#pictures = pictures;
  }

  /** Everything looks different now. */
  restart({ keep = true } = {}) {
    if (!keep) this.#last = null;
    this.#pieces.clear();
  }

  /** Another step of zoom: nobody waits any more for what was asked for at the last one. */
  leave() {
    this.#pictures.forget();
    for (const [key, piece] of this.#pieces) if (piece.waits.size || !piece.done) this.#pieces.delete(key);
  }

  /** These rows look different now. */
  redraw(rows) {
    const { box } = this.#tiles.columns;
    for (const piece of this.#pieces.values()) {
      const [west, south, east, north] = this.#boxOf(piece);
      const touched = (row) =>
        box[row * 4] < east && box[row * 4 + 2] > west && box[row * 4 + 1] < north && box[row * 4 + 3] > south;
      if (rows.some(touched)) piece.again();
    }
  }

  /** A picture has come. */
  arrived(key) {
    for (const piece of this.#pieces.values()) if (piece.waits.has(key)) piece.again();
  }

  /** Draw a frame. Returns whether it is complete. */
  frame(view, ground) {
    const context = this.#context;
    const visible = this.#visible(view);
    this.#work(visible);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = ground;
    context.fillRect(0, 0, view.width, view.height);
    if (visible.some((piece) => piece.fresh)) this.#underneath(view);
    for (const piece of visible) {
      if (!piece.fresh) context.drawImage(piece.canvas, piece.col * PIECE - view.x, piece.row * PIECE - view.y);
    }
    const complete = visible.every((piece) => piece.done);
    if (complete) this.#remember(view, visible);
    this.#drop();
    return complete;
  }

  #visible(view) {
    const found = [];
    const [right, bottom] = [view.x + view.width - 1, view.y + view.height - 1];
    for (let row = Math.floor(view.y / PIECE); row <= Math.floor(bottom / PIECE); row++) {
      for (let col = Math.floor(view.x / PIECE); col <= Math.floor(right / PIECE); col++) {
        const key = `${view.step}/${col}/${row}`;
        const piece = this.#pieces.get(key) ?? new Piece(view.step, col, row);
        this.#pieces.delete(key);
        this.#pieces.set(key, piece);
        found.push(piece);
      }
    }
    return found;
  }

  #boxOf({ step, col, row }) {
    const metres = PIECE / scaleOf(step);
    return [col * metres, -(row + 1) * metres, (col + 1) * metres, -row * metres];
  }

  #work(visible) {
    const until = performance.now() + BUDGET_MS;
    for (const piece of visible) {
      if (piece.done) continue;
      if (piece.rows === null) this.#begin(piece);
      while (piece.at < piece.rows.length) {
        const stop = Math.min(piece.rows.length, piece.at + EVERY);
        for (; piece.at < stop; piece.at++) this.#tile(piece, piece.rows[piece.at]);
        if (performance.now() > until) break;
      }
      if (piece.done) this.#show(piece);
      if (performance.now() > until) return;
    }
  }

  /** A piece that is drawn anew is drawn beside the old one, so that nothing flickers. */
  #begin(piece) {
    piece.rows = this.places.within(...this.#boxOf(piece));
    piece.at = 0;
    piece.waits = new Set();
    piece.draft = piece.fresh ? piece.canvas : new OffscreenCanvas(PIECE, PIECE);
    piece.context = piece.draft.getContext("2d", { alpha: true });
  }

  #show(piece) {
    piece.canvas = piece.draft;
    piece.fresh = false;
  }

  #tile(piece, row) {
    const context = piece.context;
    const scale = scaleOf(piece.step);
    const [px, py] = [piece.col * PIECE, piece.row * PIECE];
    const { corners } = this.#tiles.columns;
    const at = row * 8;
    const [nwX, nwY] = [corners[at] * scale - px, -corners[at + 1] * scale - py];
    const [swX, swY] = [corners[at + 2] * scale - px, -corners[at + 3] * scale - py];
    const [neX, neY] = [corners[at + 6] * scale - px, -corners[at + 7] * scale - py];
    const straight = Math.abs(nwX - swX) < 1 && Math.abs(nwY - neY) < 1 && neX > nwX && swY > nwY;
    if (straight) {
      // Whole pixels: neighbours meet without a seam that is not in the pictures.
      const [left, top] = [Math.round(nwX), Math.round(nwY)];
      this.#fill(piece, row, left, top, Math.max(1, Math.round(neX) - left), Math.max(1, Math.round(swY) - top));
      return;
    }
    const side = Math.max(1, Math.hypot(neX - nwX, neY - nwY));
    const high = Math.max(1, Math.hypot(swX - nwX, swY - nwY));
    context.setTransform((neX - nwX) / side, (neY - nwY) / side, (swX - nwX) / high, (swY - nwY) / high, nwX, nwY);
    this.#fill(piece, row, 0, 0, side, high);
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  #fill(piece, row, left, top, width, height) {
    const { context } = piece;
    const { columns } = this.#tiles;
    const colour = this.scheme.of(row);
    const strength = colour < 0 ? 0 : this.strength;
    let shown = false;
    if (strength < 1 && columns.picture[row]) {
      const { image, sx, sy, size, waits } = this.#pictures.of(row, width);
      if (waits) piece.waits.add(waits);
      if (image) {
        context.imageSmoothingEnabled = width < size;
        context.drawImage(image, sx, sy, size, size, left, top, width, height);
        shown = true;
      }
    }
    if (!shown && strength < 1) rect(context, "#808080", 0.25, left, top, width, height);
    if (strength) rect(context, this.scheme.colours[colour], strength, left, top, width, height);
    if (this.selected.has(columns.index[row])) this.#select(context, left, top, width, height);
    if (width >= SIGN_FROM * devicePixelRatio && this.scheme.signs) this.#sign(context, row, left, top);
  }

  #select(context, left, top, width, height) {
    rect(context, this.accent, 0.35, left, top, width, height);
    if (width < 6) return;
    const line = Math.min(4, width / 6);
    context.strokeStyle = this.accent;
    context.lineWidth = line;
    context.strokeRect(left + line / 2, top + line / 2, width - line, height - line);
  }

  #sign(context, row, left, top) {
    const sign = STATE_SIGNS[this.scheme.signs[this.#tiles.columns.state[row]]];
    if (!sign) return;
    const unit = devicePixelRatio;
    rect(context, "#000", 0.6, left + 3 * unit, top + 3 * unit, 18 * unit, 18 * unit);
    context.fillStyle = "#fff";
    context.font = `700 ${14 * unit}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(sign, left + 12 * unit, top + 13 * unit);
  }

  /** Under pieces that are not drawn yet: the last complete frame, as large as it would be now. */
  #underneath(view) {
    if (!this.#last) return;
    const factor = view.scale / scaleOf(this.#last.step);
    const { x, y, canvas } = this.#last;
    this.#context.drawImage(
      ...[canvas, Math.round(x * factor - view.x), Math.round(y * factor - view.y)],
      ...[canvas.width * factor, canvas.height * factor],
    );
  }

  /** Once a step of zoom and not at every frame of a pan: it is only needed when the step changes. */
  #remember(view, visible) {
    const { x, y, step } = view;
    const near = this.#last?.step === step && Math.abs(this.#last.x - x) < PIECE && Math.abs(this.#last.y - y) < PIECE;
    if (near) return;
    const canvas = new OffscreenCanvas(view.width, view.height);
    const context = canvas.getContext("2d");
    for (const piece of visible) context.drawImage(piece.canvas, piece.col * PIECE - x, piece.row * PIECE - y);
    this.#last = { x, y, step, canvas };
  }

  #drop() {
    for (const key of this.#pieces.keys()) {
      if (this.#pieces.size <= MOST_PIECES) return;
      this.#pieces.delete(key);
    }
  }
}

function rect(context, colour, alpha, left, top, width, height) {
  context.globalAlpha = alpha;
  context.fillStyle = colour;
  context.fillRect(left, top, width, height);
  context.globalAlpha = 1;
}
