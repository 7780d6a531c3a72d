// The heights and colours of a tile, as tiles/terrain3d/scene.py writes them, and the mesh they make.

import { Failure } from "../lib/http.js";

/**
 * {width, height, dx, dy, z, rgb}: z in metres, row by row from the north-west corner, NaN where there is no height;
 * dx, dy: metres between two columns, two rows. Throws a Failure.
 */
export async function fetchTerrain(url, signal) {
  let response;
  try {
    response = await fetch(url, { headers: { "X-Requested-With": "fetch" }, credentials: "same-origin", signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure("There is no connection to the server. Try again.");
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => null);
    throw new Failure(answer?.message ?? `The server answered ${response.status}.`, { status: response.status });
  }
  return parse(await response.arrayBuffer());
}

function parse(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const count = header.width * header.height;
  const steps = new Int16Array(buffer, 4 + length, count);
  const z = Float32Array.from(steps, (step) => (step === header.void ? NaN : header.offset + header.scale * step));
  return { ...header, z, rgb: new Uint8Array(buffer, 4 + length + 2 * count, 3 * count) };
}

/** Points {x, y, z} in metres, x to the east and y to the north, from the south-west corner of the lattice. */
export function points({ width, height, dx, dy, z }) {
  const x = new Float32Array(z.length);
  const y = new Float32Array(z.length);
  for (let at = 0; at < z.length; at += 1) {
    x[at] = (at % width) * dx;
    y[at] = (height - 1 - Math.floor(at / width)) * dy;
  }
  return { x, y, z };
}

/** Two triangles a cell, seen from above counter-clockwise; none that touches a void. */
export function triangles({ width, height, z }) {
  const corners = { i: [], j: [], k: [] };
  const add = (a, b, c) => {
    if (Number.isNaN(z[a] + z[b] + z[c])) return;
    corners.i.push(a);
    corners.j.push(b);
    corners.k.push(c);
  };
  for (let row = 0; row + 1 < height; row += 1) {
    for (let col = 0; col + 1 < width; col += 1) {
      const at = row * width + col;
      add(at, at + width, at + 1);
      add(at + 1, at + width, at + width + 1);
    }
  }
  return corners;
}

/** "rgb(r,g,b)" a point, from three bytes a point. */
export function colours(rgb) {
  const words = new Array(rgb.length / 3);
  for (let at = 0; at < words.length; at += 1) {
    words[at] = `rgb(${rgb[3 * at]},${rgb[3 * at + 1]},${rgb[3 * at + 2]})`;
  }
  return words;
}

/**
 * Hill shade as three bytes a point, the sun at an azimuth and height in degrees: the cosine between the sun and the
 * normal of the surface, whose slopes are central differences in metres.
 */
export function shade({ width, height, dx, dy, z }, azimuth = 315, altitude = 45) {
  const [turn, up] = [(azimuth * Math.PI) / 180, (altitude * Math.PI) / 180];
  const sun = [Math.sin(turn) * Math.cos(up), Math.cos(turn) * Math.cos(up), Math.sin(up)];
  const grey = new Uint8Array(3 * z.length);
  const slope = (low, high, metres) => {
    const rise = (z[high] - z[low]) / metres;
    return Number.isNaN(rise) ? 0 : rise;
  };
  for (let row = 0; row < height; row += 1) {
    const [north, south] = [Math.max(row - 1, 0), Math.min(row + 1, height - 1)];
    for (let col = 0; col < width; col += 1) {
      const [west, east] = [Math.max(col - 1, 0), Math.min(col + 1, width - 1)];
      const toEast = slope(row * width + west, row * width + east, (east - west) * dx);
      const toNorth = slope(south * width + col, north * width + col, (south - north) * dy);
      const facing = (sun[2] - sun[0] * toEast - sun[1] * toNorth) / Math.hypot(1, toEast, toNorth);
      grey.fill(255 * Math.max(0, facing), 3 * (row * width + col), 3 * (row * width + col) + 3);
    }
  }
  return grey;
}
