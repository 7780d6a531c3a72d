// A profile as a small chart: metres along the line, metres of height, gaps where there are no heights.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 64, right: 16, top: 10, bottom: 28 };

function node(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Event `point`, detail the number of the sample under the mouse, or null. */
export class Chart extends EventTarget {
  #x = () => 0;
  #y = () => 0;
  #profile = null;

  constructor(svg) {
    super();
    this.svg = svg;
    const tell = (detail) => this.dispatchEvent(new CustomEvent("point", { detail }));
    svg.addEventListener("pointermove", (event) => this.#profile && tell(this.#sampleAt(event)));
    svg.addEventListener("pointerleave", () => tell(null));
  }

  show(profile) {
    this.#profile = profile;
    const width = this.svg.clientWidth || 600;
    const height = this.svg.clientHeight || 160;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (profile.low === null) {
      this.svg.replaceChildren(node("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, "There are no heights along this line."));
      return;
    }
    const ups = ticks(profile.low, Math.max(profile.high, profile.low + 1), 4);
    const alongs = ticks(0, profile.length || 1, Math.max(2, Math.floor(width / 120)));
    const [low, high] = [Math.min(profile.low, ups[0]), Math.max(profile.high, ups.at(-1))];
    this.#x = (at) => MARGIN.left + (at / (profile.length || 1)) * (width - MARGIN.left - MARGIN.right);
    this.#y = (metres) => height - MARGIN.bottom - ((metres - low) / (high - low)) * (height - MARGIN.top - MARGIN.bottom);
    const grid = [
      ...ups.flatMap((value) => [
        node("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: this.#y(value), y2: this.#y(value) }),
        node("text", { x: MARGIN.left - 6, y: this.#y(value) + 4, "text-anchor": "end" }, `${value.toLocaleString("en")} m`),
      ]),
      ...alongs.map((value) =>
        node("text", { x: this.#x(value), y: height - 8, "text-anchor": "middle" }, `${value.toLocaleString("en")} m`),
      ),
    ];
    this.finger = node("line", { class: "finger", y1: MARGIN.top, y2: height - MARGIN.bottom, visibility: "hidden" });
    this.svg.replaceChildren(...grid, node("path", { class: "heights", d: this.#path(profile.samples) }), this.finger);
  }

  /** Mark a sample; null for none. */
  point(number) {
    if (!this.finger) return;
    const sample = number === null ? null : this.#profile?.samples[number];
    this.finger.setAttribute("visibility", sample ? "visible" : "hidden");
    if (!sample) return;
    for (const name of ["x1", "x2"]) this.finger.setAttribute(name, this.#x(sample.at));
  }

  #path(samples) {
    let path = "";
    let drawing = false;
    for (const { at, height } of samples) {
      const known = !Number.isNaN(height);
      // A known height between two gaps is a dot: a line of no length with round ends.
      if (known) path += `${drawing ? "L" : "M"}${this.#x(at).toFixed(1)} ${this.#y(height).toFixed(1)}${drawing ? "" : "h0"}`;
      drawing = known;
    }
    return path;
  }

  #sampleAt(event) {
    const box = this.svg.getBoundingClientRect();
    const share = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
    const last = this.#profile.samples.length - 1;
    return Math.min(last, Math.max(0, Math.round(share * last)));
  }
}

/** Round numbers inside low..high, about `count` of them. */
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}
