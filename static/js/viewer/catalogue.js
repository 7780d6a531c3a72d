// The layers of the viewer: what they are called, what they are made of, and how they can be set.

/**
 * source: the name under which a tile's `urls` has what it is made of. shaded: drawn here from the heights, in the way
 * that the settings say. missing: what to say of a tile that has it not.
 */
export const LAYERS = {
  png: { label: "RGB", source: "png", missing: "This tile has no picture." },
  raw: {
    label: "RGB without stretch",
    source: "raw",
    missing: "The unstretched imagery of this tile is not kept, so there is only the stretched picture.",
  },
  dem: { label: "DEM grey", source: "elevation", shaded: true },
  colour: { label: "DEM colour", source: "elevation", shaded: true },
  dem255: { label: "DEM_255", source: "dem255" },
  hillshade: { label: "Hill shade", source: "elevation", shaded: true },
  slope: { label: "Slope", source: "elevation", shaded: true },
  nir: { label: "Near infrared", source: "nir", missing: "This tile has no near infrared." },
  sar: { label: "SAR", source: "sar", missing: "This tile has no SAR." },
};
export const NO_HEIGHTS = "This tile has no heights to show.";
export const HEIGHTS = "elevation";

export const DEFAULTS = {
  layers: ["png", "colour"],
  settings: { map: "Spectral", turned: false, range: "tile", azimuth: 315, altitude: 45 },
};

/** The layers that can be shown, in the person's order: those chosen first. Unknown ones are left out. */
export function orderOf(chosen, order = []) {
  const known = [...chosen, ...order, ...Object.keys(LAYERS)].filter((id) => id in LAYERS);
  return [...new Set(known)];
}

/** What decides how a shaded layer looks: where this is the same, so is the picture. */
export function recipeOf(layer, settings, areaRange) {
  const { map, turned, range, azimuth, altitude } = settings;
  const span = range === "area" && areaRange ? areaRange : null;
  if (layer === "dem") return { layer, map: "grey", turned: false, range: span };
  if (layer === "colour") return { layer, map, turned, range: span };
  if (layer === "hillshade") return { layer, azimuth, altitude };
  return { layer };
}

/** Beside the layer's name in its caption. */
export function detailOf(layer, settings, areaRange) {
  const span = settings.range === "area" && areaRange ? "range of the area" : "";
  if (layer === "dem") return span;
  if (layer === "colour") return [settings.map, settings.turned && "turned round", span].filter(Boolean).join(", ");
  if (layer === "hillshade") return `sun at ${settings.azimuth}°, ${settings.altitude}° high`;
  return layer === "slope" ? "white from 60°" : "";
}
