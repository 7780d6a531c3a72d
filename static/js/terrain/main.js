// The 3D page of one tile.

import { Terrain } from "./controls.js";

const root = document.getElementById("terrain");
const terrain = new Terrain(root);
addEventListener("pagehide", () => terrain.free());
// Come back from the browser's own memory of pages, the drawing is gone: draw it again.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
await terrain.show(root.dataset.address, root.dataset.name);
