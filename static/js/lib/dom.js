// Building elements. Strings become text and nothing else.

/** el("button", { class: "primary", onclick: save }, "Save"): attributes, or listeners where the name begins with on. */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (property.startsWith("on")) element.addEventListener(property.slice(2), value);
    else element.setAttribute(property, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
