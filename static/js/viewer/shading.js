// Heights to pictures: numbers only, no page. Slope and hill shade are those of tiles/raster/terrain.py, colours those
// of tiles/raster/colour.py.

const STEEPEST = 60;

/**
 * Heights as tiles/raster/packed.py packs them: {width, height, dx, dy, northUp, data}; data: Float32Array in metres,
 * row by row, NaN where there is no height; dx, dy: metres between two columns, two rows.
 */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const count = header.width * header.height;
  const planes = new Uint8Array(buffer, 4 + length);
  const size = header.type === "int16" ? 2 : 4;
  const bytes = new Uint8Array(size * count);
  for (let plane = 0; plane < size; plane += 1) {
    let value = 0;
    for (let at = 0, from = plane * count; at < count; at += 1) {
      value = (value + planes[from + at]) & 255;
      bytes[at * size + plane] = value;
    }
  }
  const { width, height, dx, dy, north_up: northUp } = header;
  return { width, height, dx, dy, northUp, data: size === 2 ? metresOf(bytes, header.void) : new Float32Array(bytes.buffer) };
}

function metresOf(bytes, hole) {
  return Float32Array.from(new Int16Array(bytes.buffer), (value) => (value === hole ? NaN : value));
}

/** Rise per metre eastward and southward, as Float32Arrays, by Horn's weighted 3 x 3 differences; NaN beside voids. */
export function gradient({ width, height, dx, dy, northUp = true, data }) {
  const [wide, tall] = [width + 2, height + 2];
  const padded = prolonged(data, width, height);
  const east = new Float32Array(width * height);
  const south = new Float32Array(width * height);
  const [perColumn, perRow] = [8 * dx, northUp ? 8 * dy : -8 * dy];
  for (let row = 1; row < tall - 1; row += 1) {
    for (let col = 1; col < wide - 1; col += 1) {
      const at = row * wide + col;
      const [above, below] = [at - wide, at + wide];
      const to = (row - 1) * width + col - 1;
      const hole = Number.isNaN(padded[at]);
      east[to] = hole
        ? NaN
        : (2 * padded[at + 1] + padded[above + 1] + padded[below + 1] - 2 * padded[at - 1] - padded[above - 1] - padded[below - 1]) / perColumn;
      south[to] = hole
        ? NaN
        : (2 * padded[below] + padded[below - 1] + padded[below + 1] - 2 * padded[above] - padded[above - 1] - padded[above + 1]) / perRow;
    }
  }
  return { east, south };
}

/** Heights with a margin of one pixel, which goes on as the outermost two do. */
function prolonged(data, width, height) {
  const wide = width + 2;
  const padded = new Float32Array(wide * (height + 2));
  for (let row = 0; row < height; row += 1) padded.set(data.subarray(row * width, (row + 1) * width), (row + 1) * wide + 1);
  const straight = Math.min(width, height) > 1 ? 1 : 0;
  const goOn = (to, edge, inner) => {
    padded[to] = padded[edge] + straight * (padded[edge] - padded[inner]);
  };
  for (let col = 1; col <= width; col += 1) {
    goOn(col, wide + col, straight ? 2 * wide + col : wide + col);
    const last = height * wide + col;
    goOn(last + wide, last, straight ? last - wide : last);
  }
  for (let row = 0; row < height + 2; row += 1) {
    const first = row * wide + 1;
    goOn(first - 1, first, straight ? first + 1 : first);
    const last = row * wide + width;
    goOn(last + 1, last, straight ? last - 1 : last);
  }
  return padded;
}

/** Steepness in degrees. */
export function slope(heights) {
  const { east, south } = gradient(heights);
  return east.map((rise, at) => (Math.atan(Math.hypot(rise, south[at])) * 180) / Math.PI);
}

/** Brightness under a sun, 0..1. azimuth: degrees clockwise from north; altitude: degrees above the horizon. */
export function hillshade(heights, { azimuth, altitude }) {
  const { east, south } = gradient(heights);
  const [turn, up] = [(azimuth * Math.PI) / 180, (altitude * Math.PI) / 180];
  const [sunEast, sunNorth, sunUp] = [Math.cos(up) * Math.sin(turn), Math.cos(up) * Math.cos(turn), Math.sin(up)];
  return east.map((rise, at) => {
    const lit = (sunUp - rise * sunEast + south[at] * sunNorth) / Math.sqrt(1 + rise * rise + south[at] * south[at]);
    return lit < 0 ? 0 : lit;
  });
}

function rangeOf(data) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/**
 * Four bytes a pixel of a shaded layer; voids are transparent.
 * recipe: as viewer/catalogue.js gives it. tables: name -> 768 bytes, red, green and blue from low to high.
 */
export function shade(heights, recipe, tables) {
  if (recipe.layer === "hillshade") return painted(hillshade(heights, recipe), [0, 1], null, Math.round, 255);
  if (recipe.layer === "slope") return painted(slope(heights), [0, STEEPEST], null, Math.round, 255);
  const table = tables[recipe.map] ?? null;
  return painted(heights.data, recipe.range ?? rangeOf(heights.data), table, Math.floor, 256, recipe.turned);
}

/** Values from low to high as one of 256 colours; without a table as grey. */
function painted(values, [low, high], table, round, steps, turned = false) {
  const pixels = new Uint32Array(values.length);
  const colours = wordsOf(table);
  const factor = high > low ? 1 / (high - low) : 0;
  for (let at = 0; at < values.length; at += 1) {
    const share = (values[at] - low) * factor;
    if (Number.isNaN(share)) continue;
    const place = round((turned ? 1 - share : share) * steps);
    pixels[at] = colours[place < 0 ? 0 : place > 255 ? 255 : place];
  }
  return new Uint8ClampedArray(pixels.buffer);
}

function wordsOf(table) {
  const words = new Uint32Array(256);
  const bytes = new Uint8Array(words.buffer);
  for (let value = 0; value < 256; value += 1) {
    const colour = table ? table.subarray(3 * value, 3 * value + 3) : [value, value, value];
    bytes.set(colour, 4 * value);
    bytes[4 * value + 3] = 255;
  }
  return words;
}
