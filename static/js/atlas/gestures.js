// Mouse, pen, fingers and keys on the map.

const CLICK_PIXELS = 5;
const WHEEL_A_STEP = 40;
const PAN_SHARE = 0.15;

/**
 * Tell `act` what a person does: pan(dx, dy), zoom(steps, px, py), fit(), hover(px, py) or hover(null), click(px, py),
 * box(from, to, event) while and after a rectangle is drawn with `done` said, keys(name). Points in pixels of the canvas.
 * mode(): "select" or "move", what dragging with the main button or one finger does.
 */
export function listen(map, act, mode) {
  const pointers = new Map();
  let drag = null;
  let wheel = 0;

  const point = (event) => {
    const box = map.getBoundingClientRect();
    const ratio = devicePixelRatio;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  };

  map.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    pointers.set(event.pointerId, point(event));
    map.setPointerCapture(event.pointerId);
    if (event.button === 1) event.preventDefault();
    if (pointers.size === 2) {
      drag = { kind: "pinch", span: span(pointers) };
      act.box(null);
      return;
    }
    const kind = event.button === 1 || mode() === "move" ? "pan" : "box";
    drag = { kind, from: point(event), last: point(event), moved: false };
  });

  map.addEventListener("pointermove", (event) => {
    const now = point(event);
    if (!pointers.has(event.pointerId) || !drag) {
      act.hover(...now);
      return;
    }
    pointers.set(event.pointerId, now);
    if (drag.kind === "pinch") {
      pinch();
      return;
    }
    drag.moved ||= Math.hypot(now[0] - drag.from[0], now[1] - drag.from[1]) > CLICK_PIXELS * devicePixelRatio;
    if (!drag.moved) return;
    if (drag.kind === "pan") act.pan(drag.last[0] - now[0], drag.last[1] - now[1]);
    else act.box(drag.from, now);
    drag.last = now;
  });

  function pinch() {
    const now = span(pointers);
    const steps = Math.trunc(Math.log2(now.size / drag.span.size) * 4);
    act.pan(drag.span.x - now.x, drag.span.y - now.y);
    if (steps) act.zoom(steps, now.x, now.y);
    drag.span = steps ? now : { ...now, size: drag.span.size };
  }

  function up(event) {
    if (!pointers.delete(event.pointerId) || !drag) return;
    const { kind, from, moved } = drag;
    if (kind === "pinch") {
      if (!pointers.size) drag = null;
      return;
    }
    drag = null;
    if (event.type === "pointercancel") act.box(null);
    else if (!moved && event.button === 0) act.click(...from);
    else if (kind === "box" && moved) act.box(from, point(event), { done: true, add: event.shiftKey });
  }
  map.addEventListener("pointerup", up);
  map.addEventListener("pointercancel", up);
  map.addEventListener("pointerleave", () => act.hover(null));

  map.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey && !event.deltaY) return;
      event.preventDefault();
      wheel -= event.deltaY * (event.deltaMode ? 16 : 1) * (event.ctrlKey ? 4 : 1);
      const steps = Math.trunc(wheel / WHEEL_A_STEP);
      wheel -= steps * WHEEL_A_STEP;
      if (steps) act.zoom(Math.max(-4, Math.min(4, steps)), ...point(event));
    },
    { passive: false },
  );

  map.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (dx || dy) act.pan(dx * map.clientWidth * PAN_SHARE * devicePixelRatio, dy * map.clientHeight * PAN_SHARE * devicePixelRatio);
    else if (event.key === "Enter" || event.key === " ") act.key(event.key);
    else return;
    event.preventDefault();
    act.keyboard();
  });
}

function span(pointers) {
  const [[ax, ay], [bx, by]] = pointers.values();
  return { x: (ax + bx) / 2, y: (ay + by) / 2, size: Math.max(1, Math.hypot(ax - bx, ay - by)) };
}
