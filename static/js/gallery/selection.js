// Which tiles of the page are selected: by click, with Shift a range, with Ctrl or Cmd one more, by dragging a band over
// them with the mouse, by keyboard.

const BAND_FROM = 6;
const NEXT = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: "down", ArrowUp: "up", Home: "first", End: "last" };

/** Events: `change` when the selection changed; `open` with the cell that is to be opened as detail. */
export class Selection extends EventTarget {
  #anchor = null;
  #band = null;
  #before = new Set();
  #dragged = false;

  constructor(list) {
    super();
    this.list = list;
    this.cells = [...list.querySelectorAll(".cell")];
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("dblclick", (event) => this.#tell("open", event.target.closest(".cell")));
    list.addEventListener("keydown", (event) => this.#pressed(event));
    list.addEventListener("pointerdown", (event) => this.#down(event));
  }

  get chosen() {
    return this.cells.filter((cell) => this.#isChosen(cell));
  }

  /** The cell that the keyboard is at. */
  get current() {
    return this.list.querySelector(".cell[tabindex='0']");
  }

  choose(cells) {
    const wanted = new Set(cells);
    for (const cell of this.cells) this.#set(cell, wanted.has(cell));
    this.#tell("change");
  }

  /** Let the keyboard go on from a cell, without scrolling there. */
  stand(cell) {
    this.current?.setAttribute("tabindex", "-1");
    cell.setAttribute("tabindex", "0");
    cell.focus({ preventScroll: true });
  }

  #isChosen(cell) {
    return cell.getAttribute("aria-selected") === "true";
  }

  #set(cell, chosen) {
    cell.setAttribute("aria-selected", String(chosen));
  }

  #tell(name, detail) {
    if (name !== "open" || detail) this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #focus(cell) {
    this.stand(cell);
    cell.scrollIntoView({ block: "nearest" });
  }

  #toggle(cell) {
    this.#set(cell, !this.#isChosen(cell));
    this.#anchor = cell;
    this.#tell("change");
  }

  /** All from the last one that was chosen alone to this one. */
  #range(cell) {
    const places = [this.cells.indexOf(this.#anchor ?? cell), this.cells.indexOf(cell)].sort((a, b) => a - b);
    this.#anchor ??= cell;
    this.choose(this.cells.slice(places[0], places[1] + 1));
  }

  #clicked(event) {
    const cell = event.target.closest(".cell");
    if (this.#dragged || !cell) return;
    this.#focus(cell);
    if (event.shiftKey) {
      this.#range(cell);
    } else {
      // A second click is the first half of opening it, or takes it away again.
      if (event.detail < 2) this.#toggle(cell);
    }
  }

  #pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const cell = event.target.closest(".cell");
    if (!cell) return;
    if (event.key === " ") this.#toggle(cell);
    else if (event.key === "Enter") this.#tell("open", cell);
    else if (event.key in NEXT) this.#step(cell, NEXT[event.key], event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #step(cell, by, range) {
    const at = this.cells.indexOf(cell);
    const columns = getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
    const last = this.cells.length - 1;
    const to = { down: at + columns, up: at - columns, first: 0, last }[by] ?? at + by;
    if (to < 0 || to > last) return;
    if (range) this.#anchor ??= cell;
    this.#focus(this.cells[to]);
    if (range) this.#range(this.cells[to]);
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
    const under = this.cells.filter((cell) => (
      cell.offsetLeft < box.right && cell.offsetLeft + cell.offsetWidth > box.left
      && cell.offsetTop < box.bottom && cell.offsetTop + cell.offsetHeight > box.top
    ));
    this.choose([...this.#before, ...under]);
    this.#anchor = under[0] ?? this.#anchor;
  }

  /** The click that follows a drag is none. */
  #drop() {
    this.#dragged = this.#band !== null;
    this.#band?.remove();
    this.#band = null;
  }
}
