// How many pictures stand beside each other, so that each is as large as it can be.

/** Pictures across and lines of a screen: count pictures a row, in rows, on width x height pixels, captions beneath. */
export function arrangement({ count, rows, width, height, caption }) {
  let best = { across: 1, lines: rows * count, side: 0 };
  for (let across = 1; across <= count; across += 1) {
    const lines = rows * Math.ceil(count / across);
    const side = Math.min(width / across, height / lines - caption);
    if (side > best.side) best = { across, lines, side };
  }
  return best;
}

/** Arrange the rows of a stage, and again when the window changes. Returns how to arrange at once. */
export function arranged(stage) {
  const arrange = () => {
    const rows = [...stage.querySelectorAll(".stage-row")];
    if (!rows.length) return;
    const count = Math.max(...rows.map((row) => row.children.length));
    const [bars, open, caption] = ["--bars", "--open", "--caption"].map(pixels(getComputedStyle(stage)));
    const height = innerHeight - bars - open + caption;
    const { across, lines } = arrangement({ count, rows: rows.length, width: stage.parentElement.clientWidth, height, caption });
    stage.style.setProperty("--across", across);
    stage.style.setProperty("--lines", lines);
  };
  new ResizeObserver(arrange).observe(stage.parentElement);
  addEventListener("resize", arrange);
  return arrange;
}

function pixels(style) {
  return (name) => Number.parseFloat(style.getPropertyValue(name)) || 0;
}
