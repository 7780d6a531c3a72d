// Heights along a line over a tile, in metres on the ground.

/**
 * from, to: {col, row}. heights: {width, height, data, dx, dy}, metres, NaN where void. Each sample is the height of
 * the pixel that the line is in; nothing is invented between pixels.
 * Returns {samples: [{at, height, col, row}], length, low, high, mean, slope}; slope in degrees, the mean steepness
 * along the line; low to slope are null when no height is known.
 */
export function profileOf(heights, from, to) {
  const cols = to.col - from.col;
  const rows = to.row - from.row;
  const steps = Math.max(1, Math.abs(cols), Math.abs(rows));
  const length = Math.hypot(cols * heights.dx, rows * heights.dy);
  const samples = Array.from({ length: steps + 1 }, (_, step) => {
    const share = step / steps;
    const col = from.col + Math.round(cols * share);
    const row = from.row + Math.round(rows * share);
    return { at: share * length, height: heights.data[row * heights.width + col], col, row };
  });
  return { samples, length, ...measured(samples) };
}

function measured(samples) {
  const known = samples.map(({ height }) => height).filter((height) => !Number.isNaN(height));
  if (!known.length) return { low: null, high: null, mean: null, slope: null };
  let climbed = 0;
  let walked = 0;
  for (let at = 1; at < samples.length; at += 1) {
    const step = samples[at].height - samples[at - 1].height;
    if (Number.isNaN(step)) continue;
    climbed += Math.abs(step);
    walked += samples[at].at - samples[at - 1].at;
  }
  return {
    low: Math.min(...known),
    high: Math.max(...known),
    mean: known.reduce((sum, height) => sum + height, 0) / known.length,
    slope: walked ? (Math.atan(climbed / walked) * 180) / Math.PI : null,
  };
}
