// How large the pairs are and what of them is shown: kept in this browser.

import { remembered } from "../review/address.js";

const SIZE = "demeter.gallery.size";
const LAYERS = "demeter.gallery.layers";

export function startLook(page) {
  const size = page.querySelector("[data-part=size]");
  const layers = page.querySelector("[data-part=layers]");
  const cells = page.querySelector(".cells");
  const show = () => {
    page.style.setProperty("--cell", `${size.value}px`);
    for (const { value } of layers.options) cells?.classList.toggle(value, value === layers.value);
  };
  size.value = remembered("localStorage", SIZE) ?? size.value;
  const known = remembered("localStorage", LAYERS);
  if ([...layers.options].some(({ value }) => value === known)) layers.value = known;
  size.addEventListener("input", () => { remembered("localStorage", SIZE, size.value); show(); });
  layers.addEventListener("change", () => { remembered("localStorage", LAYERS, layers.value); show(); });
  show();
}
