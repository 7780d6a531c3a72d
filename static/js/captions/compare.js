// The page that compares captioners: digits choose a text, 0 none of them, the right arrow skips the tile.

import { Keys } from "../lib/keys.js";

const pressed = [...document.querySelectorAll("[aria-keyshortcuts]")];
new Keys().open(Object.fromEntries(pressed.map((one) => [one.getAttribute("aria-keyshortcuts"), () => one.click()])));
