// The edges of a picture as one colour, transparent elsewhere, to be laid on another picture.

// This share of the pixels is no edge at all, or the whole of a rough terrain would be one.
const QUIET = 0.85;
// A gradient below this, in 8-bit steps, is noise however quiet the rest is.
const FLOOR = 24;
const STRONGEST = 1443;

/** Made once for each bitmap and colour, and forgotten with the bitmap. */
export class Edges {
  #made = new WeakMap();

  /** bitmap: drawable, {width, height}. colour: [r, g, b]. Returns a canvas of its size. */
  of(bitmap, colour) {
    const key = colour.join();
    const known = this.#made.get(bitmap);
    if (known?.key === key) return known.canvas;
    const canvas = edgesOf(bitmap, colour);
    this.#made.set(bitmap, { key, canvas });
    return canvas;
  }
}

function edgesOf(bitmap, [red, green, blue]) {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  const strength = sobel(greyOf(image.data), width, height);
  const from = Math.max(FLOOR, quantile(strength, QUIET));
  const to = Math.max(3 * FLOOR, 2 * from);
  const scale = 255 / (to - from);
  const pixels = new Uint32Array(image.data.buffer);
  const ink = new Uint32Array(new Uint8Array([red, green, blue, 0]).buffer)[0];
  for (let at = 0; at < strength.length; at += 1) {
    const alpha = Math.min(255, Math.max(0, (strength[at] - from) * scale));
    pixels[at] = alpha ? (ink | (alpha << 24)) >>> 0 : 0;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Luma of opaque pixels, -1 where there is nothing. */
function greyOf(data) {
  const grey = new Int16Array(data.length / 4);
  for (let at = 0, from = 0; at < grey.length; at += 1, from += 4) {
    grey[at] = data[from + 3] ? (77 * data[from] + 150 * data[from + 1] + 29 * data[from + 2]) >> 8 : -1;
  }
  return grey;
}

/** Length of Sobel's gradient, 0..1443; 0 at the border and beside what is void: its outline is no edge of the ground. */
function sobel(grey, width, height) {
  const strength = new Uint16Array(grey.length);
  for (let row = 1; row < height - 1; row += 1) {
    for (let at = row * width + 1; at < (row + 1) * width - 1; at += 1) {
      const [nw, n, ne] = [grey[at - width - 1], grey[at - width], grey[at - width + 1]];
      const [w, e] = [grey[at - 1], grey[at + 1]];
      const [sw, s, se] = [grey[at + width - 1], grey[at + width], grey[at + width + 1]];
      if ((nw | n | ne | w | e | sw | s | se) < 0) continue;
      const x = ne + 2 * e + se - nw - 2 * w - sw;
      const y = sw + 2 * s + se - nw - 2 * n - ne;
      strength[at] = Math.sqrt(x * x + y * y);
    }
  }
  return strength;
}

function quantile(strength, share) {
  const counts = new Uint32Array(STRONGEST + 1);
  for (const value of strength) counts[value] += 1;
  let left = share * strength.length;
  for (let value = 0; value <= STRONGEST; value += 1) {
    left -= counts[value];
    if (left < 0) return value;
  }
  return STRONGEST;
}
