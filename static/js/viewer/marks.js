// Lines over a picture: the cross-hair and the line of the profile. Light on dark, to be seen on any ground.

const SVG = "http://www.w3.org/2000/svg";
const ARM = 14;

export class Marks {
  #drawn = "";

  /** svg: covers the frame, in CSS pixels. */
  constructor(svg) {
    this.hair = this.#twice(svg);
    this.line = this.#twice(svg);
  }

  #twice(svg) {
    return ["under", "over"].map((name) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", name);
      svg.append(path);
      return path;
    });
  }

  /** place: {scale, x, y} in CSS pixels. pixel: {col, row} or null. line: two pixels or null. */
  show(place, pixel, line) {
    const hair = pixel ? cross(place, pixel) : "";
    const profile = line ? segment(place, line) : "";
    if (hair + profile === this.#drawn) return;
    this.#drawn = hair + profile;
    for (const path of this.hair) path.setAttribute("d", hair);
    for (const path of this.line) path.setAttribute("d", profile);
  }
}

/** A box around the pixel with four arms; never smaller than can be seen. */
function cross({ scale, x, y }, { col, row }) {
  const half = Math.max(scale, 5) / 2;
  const cx = x + (col + 0.5) * scale;
  const cy = y + (row + 0.5) * scale;
  const [w, e, n, s] = [cx - half, cx + half, cy - half, cy + half];
  return (
    `M${w} ${n}H${e}V${s}H${w}Z` +
    `M${cx} ${n}v${-ARM}M${cx} ${s}v${ARM}M${w} ${cy}h${-ARM}M${e} ${cy}h${ARM}`
  );
}

function segment({ scale, x, y }, [from, to]) {
  const at = ({ col, row }) => `${x + (col + 0.5) * scale} ${y + (row + 0.5) * scale}`;
  return `M${at(from)}L${at(to)}`;
}
