// How captions show themselves: strings become text nodes and nothing else, for a caption is untrusted text.

import { el } from "../lib/dom.js";

export function key(name) {
  return el("kbd", { "aria-hidden": "true" }, name);
}

// A word diff of the server, [[op, text], ...], as nodes: what came and what went is marked up, not only coloured.
export function diffNodes(changes) {
  const names = { added: "ins", removed: "del" };
  return changes.map(([op, text]) => (names[op] ? el(names[op], {}, text) : document.createTextNode(text)));
}

export function when(at) {
  const time = new Date(at);
  return el("time", { datetime: at }, time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" }));
}

// "rules", or who wrote it: whose words a caption or revision holds.
export function writer({ origin, author }) {
  if (origin === "person") return author;
  return author ? `${origin}, restored by ${author}` : origin;
}
