// Which part of the plane is on the screen. Steps of zoom and whole pixels, so that drawn pieces can be kept.

const STEPS_A_DOUBLING = 4;

/** Pixels a metre at a step. */
export function scaleOf(step) {
  return 2 ** (step / STEPS_A_DOUBLING);
}

export class View {
  step = 0;
  x = 0; // of the left edge, in pixels of this step from the origin of the plane
  y = 0; // of the upper edge; the plane's y runs up, the screen's runs down
  width = 1;
  height = 1;
  #least = -Infinity;
  #most = Infinity;
  #bounds = null;

  get scale() {
    return scaleOf(this.step);
  }

  resize(width, height) {
    this.x -= Math.round((width - this.width) / 2);
    this.y -= Math.round((height - this.height) / 2);
    this.width = width;
    this.height = height;
  }

  /** Show all of `bounds`; from there one may go twice as far out, and in until a tile of `side` metres fills a screen. */
  fit(bounds, side) {
    const { west, south, east, north } = bounds;
    this.#bounds = bounds;
    const room = Math.min((this.width * 0.94) / (east - west), (this.height * 0.94) / (north - south));
    this.#most = Math.ceil(Math.log2((Math.max(this.width, this.height) * 1.5) / side) * STEPS_A_DOUBLING);
    this.step = Math.min(this.#most, Math.floor(Math.log2(room) * STEPS_A_DOUBLING));
    this.#least = this.step - STEPS_A_DOUBLING;
    this.centre((west + east) / 2, (south + north) / 2);
  }

  centre(x, y) {
    this.x = Math.round(x * this.scale - this.width / 2);
    this.y = Math.round(-y * this.scale - this.height / 2);
  }

  pan(dx, dy) {
    this.x += Math.round(dx);
    this.y += Math.round(dy);
    this.#stay();
  }

  /** The middle of the screen stays over the area: nobody loses it out of sight. */
  #stay() {
    if (!this.#bounds) return;
    const { west, south, east, north } = this.#bounds;
    const within = (value, least, most) => Math.round(Math.max(least, Math.min(most, value)));
    this.x = within(this.x, west * this.scale - this.width / 2, east * this.scale - this.width / 2);
    this.y = within(this.y, -north * this.scale - this.height / 2, -south * this.scale - this.height / 2);
  }

  /** Zoom by steps about a point of the screen. */
  zoom(steps, px = this.width / 2, py = this.height / 2) {
    const step = Math.max(this.#least, Math.min(this.#most, this.step + steps));
    const factor = scaleOf(step) / this.scale;
    this.x = Math.round((this.x + px) * factor - px);
    this.y = Math.round((this.y + py) * factor - py);
    this.step = step;
    this.#stay();
  }

  /** A point of the screen in metres of the plane. */
  toPlane(px, py) {
    return [(px + this.x) / this.scale, -(py + this.y) / this.scale];
  }

  toScreen(x, y) {
    return [x * this.scale - this.x, -y * this.scale - this.y];
  }
}
