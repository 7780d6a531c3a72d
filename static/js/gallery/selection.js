// Which tiles of the page are selected: by click, with Shift a range, with Ctrl or Cmd one more, by dragging a band over
// them with the mouse, by keyboard.

import { Selection } from "../lib/selection.js";

const BAND_FROM = 6;
const NEXT = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: "down", ArrowUp: "up", Home: "first", End: "last" };

/** Events: `change` when the selection changed; `open` with the cell that is to be opened as detail. */
export class Cells extends Selection {
  #band = null;
  #before = new Set();
  #dragged = false;

  constructor(list) {
    super([...list.querySelectorAll(".cell")]);
    this.list = list;
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("dblclick", (event) => this.#open(event.target.closest(".cell")));
    list.addEventListener("keydown", (event) => this.#pressed(event));
    list.addEventListener("pointerdown", (event) => this.#down(event));
  }

  /** The cell that the keyboard is at. */
  get current() {
    return this.list.querySelector(".cell[tabindex='0']");
  }

  /** Let the keyboard go on from a cell, without scrolling there. */
  stand(cell) {
    this.current?.setAttribute("tabindex", "-1");
    cell.setAttribute("tabindex", "0");
    cell.focus({ preventScroll: true });
  }

  isChosen(cell) {
    return cell.getAttribute("aria-selected") === "true";
  }

  set(cell, chosen) {
    cell.setAttribute("aria-selected", String(chosen));
  }

  #open(cell) {
    if (cell) this.tell("open", cell);
  }

  #focus(cell) {
    this.stand(cell);
    cell.scrollIntoView({ block: "nearest" });
  }

  #clicked(event) {
    const cell = event.target.closest(".cell");
    if (this.#dragged || !cell) return;
    this.#focus(cell);
    if (event.shiftKey) {
      this.choose(this.span(cell));
    } else {
      // A second click is the first half of opening it, or takes it away again.
      if (event.detail < 2) this.toggle(cell);
    }
  }

  #pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const cell = event.target.closest(".cell");
    if (!cell) return;
    if (event.key === " ") this.toggle(cell);
    else if (event.key === "Enter") this.#open(cell);
    else if (event.key in NEXT) this.#step(cell, NEXT[event.key], event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #step(cell, by, range) {
    const at = this.items.indexOf(cell);
    const columns = getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
    const last = this.items.length - 1;
    const to = { down: at + columns, up: at - columns, first: 0, last }[by] ?? at + by;
    if (to < 0 || to > last) return;
    if (range) this.anchor ??= cell;
    this.#focus(this.items[to]);
    if (range) this.choose(this.span(this.items[to]));
  }

  #down(event) {
    this.#dragged = false;
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    const start = this.#place(event);
    const stop = new AbortController();
    this.#before = new Set(event.shiftKey ? this.chosen : []);
    addEventListener("pointermove", (move) => this.#drag(start, this.#place(move)), { signal: stop.signal });
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, () => { stop.abort(); this.#drop(); }, { signal: stop.signal });
    }
  }

  /** Where the pointer is in the list, so that scrolling moves the band along. */
  #place(event) {
    const box = this.list.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #drag(start, end) {
    if (!this.#band && Math.hypot(end.x - start.x, end.y - start.y) < BAND_FROM) return;
    if (!this.#band) {
      this.#band = document.createElement("li");
      this.#band.className = "band";
      this.#band.setAttribute("role", "presentation");
      this.list.append(this.#band);
    }
    const box = {
      left: Math.min(start.x, end.x), right: Math.max(start.x, end.x),
      top: Math.min(start.y, end.y), bottom: Math.max(start.y, end.y),
    };
    Object.assign(this.#band.style, {
      left: `${box.left}px`, top: `${box.top}px`, width: `${box.right - box.left}px`, height: `${box.bottom - box.top}px`,
    });
    const under = this.items.filter((cell) => (
      cell.offsetLeft < box.right && cell.offsetLeft + cell.offsetWidth > box.left
      && cell.offsetTop < box.bottom && cell.offsetTop + cell.offsetHeight > box.top
    ));
    this.choose([...this.#before, ...under]);
    this.anchor = under[0] ?? this.anchor;
  }

  /** The click that follows a drag is none. */
  #drop() {
    this.#dragged = this.#band !== null;
    this.#band?.remove();
    this.#band = null;
  }
}
