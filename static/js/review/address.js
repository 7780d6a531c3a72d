// The page's address follows the tile on the screen, so that a reload comes back to it.

const PAUSE = 500;
const WANTED = "demeter.review.wanted";

export class Address {
  #next = null;
  #timer = 0;

  /** Whether this page is a reload that left a tile which matched the filter. */
  static get resumes() {
    const [{ type }] = performance.getEntriesByType("navigation");
    return type !== "navigate" && remembered("sessionStorage", WANTED) === "true";
  }

  /** At once, and then not again for a while: browsers stop a page that changes its address too often. */
  show(filter, item, wanted) {
    remembered("sessionStorage", WANTED, String(wanted));
    const { state, ...others } = filter;
    const asked = new URLSearchParams({ state });
    for (const [name, value] of Object.entries(others)) if (value) asked.set(name, value);
    if (item) asked.set("tile", item.index);
    this.#next = `?${asked}`;
    if (!this.#timer) this.#write();
  }

  #write() {
    history.replaceState(null, "", this.#next);
    this.#next = null;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      if (this.#next) this.#write();
    }, PAUSE);
  }
}

/** What the browser remembers under a name, which `value` changes first; null where it remembers nothing. */
export function remembered(storage, name, value) {
  try {
    if (value !== undefined) globalThis[storage].setItem(name, value);
    return globalThis[storage].getItem(name);
  } catch {
    return null;
  }
}
