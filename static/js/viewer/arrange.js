// How many pictures stand beside each other, so that each is as large as it can be.

const CAPTION = 32;

/** Pictures across and lines of a screen: count pictures a row, in rows, on width x height pixels. */
export function arrangement(count, rows, width, height) {
  let best = { across: 1, lines: rows * count, side: 0 };
  for (let across = 1; across <= count; across += 1) {
    const lines = rows * Math.ceil(count / across);
    const side = Math.min(width / across, height / lines - CAPTION);
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
    const bars = Number.parseFloat(getComputedStyle(stage).getPropertyValue("--bars"));
    const { across, lines } = arrangement(count, rows.length, stage.parentElement.clientWidth, innerHeight - bars + CAPTION);
    stage.style.setProperty("--across", across);
    stage.style.setProperty("--lines", lines);
  };
  new ResizeObserver(arrange).observe(stage.parentElement);
  addEventListener("resize", arrange);
  return arrange;
}
