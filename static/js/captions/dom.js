// Building elements. Strings become text nodes and nothing else: a caption is untrusted text.

// el("button", { class: "primary", type: "button", onclick: save }, "Save ", key("Ctrl+Enter"))
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (property.startsWith("on")) element.addEventListener(property.slice(2), value);
    else element.setAttribute(property, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

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
