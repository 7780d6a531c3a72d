// The surroundings of a pixel beside it, magnified without smoothing.

const REACH = 10;
const ACROSS = 2 * REACH + 1;
// Where the picture itself is shown larger than this, the magnifier would only hide it. CSS pixels an image pixel takes.
const ENOUGH = 12;

/** loupe: a canvas in a frame. paint(context): draws the layer in image pixels. at: {x, y} in the frame, 0..1. */
export function magnify(loupe, { col, row }, paint, at) {
  const context = loupe.getContext("2d");
  const { width } = loupe;
  const step = width / ACROSS;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, width);
  context.imageSmoothingEnabled = false;
  context.setTransform(step, 0, 0, step, (REACH - col) * step, (REACH - row) * step);
  paint(context);
  context.setTransform(1, 0, 0, 1, 0, 0);
  for (const [colour, grow] of [["#000", 1], ["#fff", 0]]) {
    context.strokeStyle = colour;
    context.strokeRect(REACH * step - grow + 0.5, REACH * step - grow + 0.5, step + 2 * grow - 1, step + 2 * grow - 1);
  }
  loupe.style.setProperty("--x", at.x);
  loupe.style.setProperty("--y", at.y);
  loupe.classList.toggle("left", at.x > 0.5);
  loupe.classList.toggle("up", at.y > 0.5);
}

/** Whether the magnifier helps at all when an image pixel takes so many CSS pixels, and the person zoomed there. */
export function helps(cssScale, fitted) {
  return fitted || cssScale < ENOUGH;
}
