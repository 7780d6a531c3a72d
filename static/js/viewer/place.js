// Longitude and latitude of a pixel, from the 4 x 4 points over the tile that the server sends.

const NODES = [0, 1 / 3, 2 / 3, 1];
const DECIMALS = 6;

/** How much each of the four nodes counts at `at`, 0..1: Lagrange's cubic, which is exact at the nodes. */
function weights(at) {
  return NODES.map((node) =>
    NODES.reduce((product, other) => (other === node ? product : (product * (at - other)) / (node - other)), 1),
  );
}

/** The middle of a pixel. points: {lon: [16], lat: [16]} row by row from the first. Returns {lon, lat} in degrees, or null. */
export function lonLat(points, { width, height }, { col, row }) {
  if (!points) return null;
  const across = weights((col + 0.5) / width);
  const down = weights((row + 0.5) / height);
  const sum = (values) => values.reduce((total, value, at) => total + value * down[at >> 2] * across[at & 3], 0);
  // Over the 180th meridian longitudes run on, so that they can be weighed.
  const lon = ((((sum(points.lon) + 180) % 360) + 360) % 360) - 180;
  return { lon, lat: sum(points.lat) };
}

/** "36.140123° N 15.002345° E" */
export function placeWords(place) {
  if (!place) return "";
  const { lat, lon } = place;
  return `${Math.abs(lat).toFixed(DECIMALS)}° ${lat < 0 ? "S" : "N"} ${Math.abs(lon).toFixed(DECIMALS)}° ${lon < 0 ? "W" : "E"}`;
}
