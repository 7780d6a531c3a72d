// A terrain in a box that can be turned: plotly.js draws it, this says what. True metres on all three axes.

import { colours, fetchTerrain, points, shade, triangles } from "./data.js";

// Every light is ambient: a colour on the screen is the colour of the picture.
const FLAT_LIGHT = { ambient: 1, diffuse: 0, specular: 0, fresnel: 0, roughness: 1 };
const SIDE_LIGHT = { ambient: 0.65, diffuse: 0.5, specular: 0.02, fresnel: 0, roughness: 1 };

// Turning keeps the heights upright, so looking down is a hair off the vertical: north is then up.
const UP = { x: 0, y: 0, z: 1 };
const from = (x, y, z = 0.85, down = 0.05) => ({ eye: { x, y, z }, up: UP, center: { x: 0, y: 0, z: -down } });
export const CAMERAS = {
  south: from(0, -1.2),
  west: from(-1.2, 0),
  north: from(0, 1.2),
  east: from(1.2, 0),
  above: from(0, -1e-3, 1.3, 0),
};

let plotly = null;

/** plotly.js, loaded once a page and only when a terrain is wanted. */
function load(url) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => {
      plotly = null;
      script.remove();
      reject(new Error("The part that draws terrain did not load. Try again."));
    };
    document.head.append(script);
  });
  return plotly;
}

/** One terrain in `box`. plotlyUrl: where plotly.js lies. */
export class TerrainView {
  #abort = new AbortController();
  #terrain = null;
  #cache = new Map();
  #camera = CAMERAS.south;
  #drawn = Promise.resolve();

  constructor(box, plotlyUrl) {
    this.box = box;
    this.plotlyUrl = plotlyUrl;
    this.mode = "colour";
    this.exaggeration = 1;
    this.axes = true;
  }

  /** Points a side of what is drawn now; 0 while nothing is. */
  get size() {
    return this.#terrain ? Math.max(this.#terrain.width, this.#terrain.height) : 0;
  }

  /** Fetch a terrain and draw it in place of what is there. */
  async show(url) {
    const { signal } = this.#abort;
    const [terrain] = await Promise.all([fetchTerrain(url, signal), load(this.plotlyUrl)]);
    if (signal.aborted) return;
    this.#terrain = terrain;
    this.#cache.clear();
    await this.draw();
  }

  /** Draw with the present mode, exaggeration and axes; the camera stays where it is. One drawing at a time. */
  draw() {
    this.#drawn = this.#drawn.catch(() => {}).then(() => this.#draw());
    return this.#drawn;
  }

  async look(name) {
    this.#camera = CAMERAS[name];
    if (!this.#terrain) return;
    const { Plotly } = globalThis;
    await Plotly.relayout(this.box, { "scene.camera": structuredClone(this.#camera) });
  }

  /** The view as the address of a PNG. */
  picture(width, height) {
    return globalThis.Plotly.toImage(this.box, { format: "png", width, height });
  }

  /** Let everything go, the drawing context of the graphics card too: a browser has only a few of those. */
  free() {
    this.#abort.abort();
    this.#cache.clear();
    this.#terrain = null;
    const contexts = [...this.box.querySelectorAll("canvas")].map((canvas) => canvas.getContext("webgl"));
    globalThis.Plotly?.purge(this.box);
    for (const context of contexts) context?.getExtension("WEBGL_lose_context")?.loseContext();
    this.box.replaceChildren();
  }

  async #draw() {
    if (!this.#terrain || this.#abort.signal.aborted) return;
    const camera = this.box._fullLayout?.scene?.camera ?? this.#camera;
    const layout = this.#layout(structuredClone(camera));
    const config = { responsive: true, displaylogo: false, displayModeBar: false };
    await globalThis.Plotly.react(this.box, [this.#trace()], layout, config);
    this.box.dataset.drawn = `${this.mode} ${this.size} ${this.exaggeration}`;
  }

  #trace() {
    const place = this.#once("points", points);
    if (this.mode === "points") {
      const marker = { size: 2, color: this.#once("colour", ({ rgb }) => colours(rgb)) };
      return { type: "scatter3d", mode: "markers", ...place, marker, hoverinfo: "none" };
    }
    const mesh = { type: "mesh3d", ...place, ...this.#once("triangles", triangles), hoverinfo: "none" };
    if (this.mode === "height") {
      const colorbar = { title: { text: "m" }, thickness: 12, len: 0.6, x: 0.98, tickfont: { color: this.#ink } };
      colorbar.title.font = { color: this.#ink };
      return { ...mesh, intensity: place.z, colorscale: "Viridis", colorbar, lighting: SIDE_LIGHT };
    }
    const vertexcolor =
      this.mode === "shade"
        ? this.#once("shade", (terrain) => colours(shade(terrain)))
        : this.#once("colour", ({ rgb }) => colours(rgb));
    return { ...mesh, vertexcolor, lighting: FLAT_LIGHT };
  }

  #layout(camera) {
    const { width, height, dx, dy, z } = this.#terrain;
    const [east, north] = [(width - 1) * dx, (height - 1) * dy];
    const longest = Math.max(east, north);
    let [low, high] = [Infinity, -Infinity];
    for (const value of z) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const relief = Number.isFinite(high - low) ? high - low : 0;
    const upright = Math.max((relief * this.exaggeration) / longest, 0.002);
    const axis = (text) => ({
      title: { text },
      visible: this.axes,
      showbackground: false,
      color: this.#ink,
      gridcolor: this.#line,
      zeroline: false,
      showspikes: false,
      nticks: 6,
    });
    return {
      margin: { l: 0, r: 0, t: 0, b: 0 },
      paper_bgcolor: "rgba(0,0,0,0)",
      font: { color: this.#ink, family: getComputedStyle(this.box).fontFamily },
      showlegend: false,
      scene: {
        aspectmode: "manual",
        aspectratio: { x: east / longest, y: north / longest, z: upright },
        xaxis: axis("east, m"),
        yaxis: axis("north, m"),
        zaxis: { ...axis("height, m"), nticks: 4 },
        camera,
        dragmode: "turntable",
      },
    };
  }

  get #ink() {
    return getComputedStyle(this.box).color;
  }

  get #line() {
    return getComputedStyle(this.box).borderTopColor;
  }

  #once(name, make) {
    if (!this.#cache.has(name)) this.#cache.set(name, make(this.#terrain));
    return this.#cache.get(name);
  }
}
