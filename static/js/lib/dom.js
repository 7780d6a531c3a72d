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

/**
 * Call `left` when a dialog is left. `close` comes a moment after Escape, when the next key is the page's already; and on
 * a busy machine so late that the dialog may stand open anew: then it tells of the time before.
 */
export function onLeaving(dialog, left) {
  dialog.addEventListener("cancel", () => left());
  dialog.addEventListener("close", () => dialog.open || left());
}
