// Where an image lies in a frame: fitted, or at a scale that is kept from tile to tile. All lengths are device pixels,
// so that 100 % is one image pixel on one pixel of the screen.

// Above 100 % only whole numbers: every image pixel is then a flat block of the same size.
const STEPS = [0.125, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const LARGEST = STEPS.at(-1);

export class View {
  // Device pixels an image pixel takes; null: fitted to the frame.
  #scale = null;
  // The point of the image in the middle of the frame, in image pixels.
  #centre = { x: 0, y: 0 };

  get fitted() {
    return this.#scale === null;
  }

  fit() {
    this.#scale = null;
  }

  /** image, frame: {width, height}. Returns {scale, x, y}: x and y are where the image's corner lies in the frame. */
  place(image, frame) {
    const scale = this.#scale ?? fitting(image, frame);
    if (this.fitted) return { scale, x: (frame.width - image.width * scale) / 2, y: (frame.height - image.height * scale) / 2 };
    return {
      scale,
      x: bounded(frame.width / 2 - this.#centre.x * scale, image.width * scale, frame.width),
      y: bounded(frame.height / 2 - this.#centre.y * scale, image.height * scale, frame.height),
    };
  }

  /** One step nearer (1) or farther (-1); the image pixel at `point` of the frame stays under it. */
  step(direction, point, image, frame) {
    const { scale } = this.place(image, frame);
    const nearer = STEPS.filter((each) => (direction > 0 ? each > scale * 1.001 : each < scale * 0.999));
    const next = direction > 0 ? nearer[0] : nearer.at(-1);
    if (next) this.zoom(next, point, image, frame);
  }

  /** At this scale, or the nearest that is allowed. What would be smaller than fitted is fitted. */
  zoom(scale, point, image, frame) {
    const from = this.place(image, frame);
    const fit = fitting(image, frame);
    const wished = Math.min(scale > 1 ? Math.round(scale) : scale, LARGEST);
    if (wished < 1 && wished <= fit) {
      this.fit();
      return;
    }
    const col = (point.x - from.x) / from.scale;
    const row = (point.y - from.y) / from.scale;
    this.#scale = wished;
    this.#look(col + (frame.width / 2 - point.x) / wished, row + (frame.height / 2 - point.y) / wished, image, frame);
  }

  /** Push the image by so many device pixels. */
  pan(x, y, image, frame) {
    if (this.fitted) return;
    this.#look(this.#centre.x - x / this.#scale, this.#centre.y - y / this.#scale, image, frame);
  }

  /** Push the image just so far that this image pixel is seen. Returns whether it had to be pushed. */
  reveal({ col, row }, image, frame) {
    if (this.fitted) return false;
    const { scale, x, y } = this.place(image, frame);
    const left = outside(x + col * scale, scale, frame.width);
    const up = outside(y + row * scale, scale, frame.height);
    this.pan(-left, -up, image, frame);
    return Boolean(left || up);
  }

  /** Keep what is seen, not what was asked for: pushing back from a border takes hold at once. */
  #look(x, y, image, frame) {
    this.#centre = { x, y };
    const place = this.place(image, frame);
    this.#centre = { x: (frame.width / 2 - place.x) / place.scale, y: (frame.height / 2 - place.y) / place.scale };
  }
}

function fitting(image, frame) {
  return Math.min(frame.width / image.width, frame.height / image.height);
}

/** No border comes inside the frame; an image smaller than the frame stands in its middle. On whole device pixels. */
function bounded(corner, length, frame) {
  if (length <= frame) return Math.round((frame - length) / 2);
  return Math.round(Math.min(0, Math.max(frame - length, corner)));
}

/** How far a pixel lies outside of the frame, with some pixels around it. */
function outside(from, size, frame) {
  const margin = Math.min(2 * size, frame / 4);
  if (from < margin) return from - margin;
  return Math.max(0, from + size + margin - frame);
}
