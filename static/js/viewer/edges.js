// The edges of a picture as one colour, transparent elsewhere, to be laid on another picture.

// This share of the pixels is no edge at all, or the whole of a rough terrain would be one; what exceeds the other is
// drawn in full.
const QUIET = 0.8;
const FULL = 0.96;
// A gradient below this, in 8-bit steps, is noise however quiet the rest is.
const FLOOR = 8;
const STRONGEST = 1443;

/**
 * Made once for each bitmap and colour, and forgotten with the bitmap. Colours of a table have edges that the ground has
 * not, so pictures of heights are judged by the heights themselves.
 */
export class Edges {
  #made = new WeakMap();

  /** bitmap: drawable, {width, height}. heights: {data} in metres, or null. colour: [r, g, b]. Returns a canvas of its size. */
  of(bitmap, heights, colour) {
    const key = colour.join();
    const known = this.#made.get(bitmap);
    if (known?.key === key) return known.canvas;
    const canvas = edgesOf(bitmap, heights, colour);
    this.#made.set(bitmap, { key, canvas });
    return canvas;
  }
}

function edgesOf(bitmap, heights, [red, green, blue]) {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!heights) context.drawImage(bitmap, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  const strength = sobel(heights ? scaled(heights.data) : greyOf(image.data), width, height);
  const from = Math.max(FLOOR, quantile(strength, QUIET));
  const to = Math.max(from + FLOOR, quantile(strength, FULL));
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

/** Luma of opaque pixels, 0..255, NaN where there is nothing. */
function greyOf(data) {
  const grey = new Float32Array(data.length / 4);
  for (let at = 0, from = 0; at < grey.length; at += 1, from += 4) {
    grey[at] = data[from + 3] ? (77 * data[from] + 150 * data[from + 1] + 29 * data[from + 2]) / 256 : NaN;
  }
  return grey;
}

/** Heights from 0, the lowest, to 255, the highest; NaN stays. */
function scaled(heights) {
  let low = Infinity;
  let high = -Infinity;
  for (const height of heights) {
    if (height < low) low = height;
    if (height > high) high = height;
  }
  const step = 255 / (high - low || 1);
  return heights.map((height) => (height - low) * step);
}

/** Length of Sobel's gradient, 0..1443; 0 at the border and beside what is void: its outline is no edge of the ground. */
function sobel(grey, width, height) {
  const strength = new Uint16Array(grey.length);
  for (let row = 1; row < height - 1; row += 1) {
    for (let at = row * width + 1; at < (row + 1) * width - 1; at += 1) {
      const nw = grey[at - width - 1];
      const n = grey[at - width];
      const ne = grey[at - width + 1];
      const w = grey[at - 1];
      const e = grey[at + 1];
      const sw = grey[at + width - 1];
      const s = grey[at + width];
      const se = grey[at + width + 1];
      const x = ne + 2 * e + se - nw - 2 * w - sw;
      const y = sw + 2 * s + se - nw - 2 * n - ne;
      strength[at] = Math.sqrt(x * x + y * y) || 0;
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
