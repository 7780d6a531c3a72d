// Decodes pictures and shades heights beside the page, one request after the other, so that no key waits for either.
// Each message is {id, kind, ...}; the answer is {id, ...} or {id, failed: text}.

import { shade, unpack } from "./shading.js";

const EXACT = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
let tables = {};

const JOBS = {
  tables: (message) => {
    ({ tables } = message);
    return {};
  },
  picture: async ({ blob }) => ({ bitmap: await createImageBitmap(blob, EXACT) }),
  heights: ({ buffer }) => ({ heights: unpack(buffer) }),
  shade: async ({ heights, recipe }) => {
    const pixels = new ImageData(shade(heights, recipe, tables), heights.width, heights.height);
    return { bitmap: await createImageBitmap(pixels, EXACT) };
  },
};

addEventListener("message", async ({ data: { id, kind, ...rest } }) => {
  try {
    const answer = await JOBS[kind](rest);
    const moved = [answer.bitmap, answer.heights?.data.buffer].filter(Boolean);
    postMessage({ id, ...answer }, moved);
  } catch (error) {
    postMessage({ id, failed: String(error?.message ?? error) });
  }
});
