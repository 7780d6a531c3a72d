// Mouse and fingers on a frame, in plain words: hover, tap, drag, pinch, wheel.

const STILL = 4;
const NOTCH = 50;
const LINE = 40;

/**
 * Listen on an element. `on` has functions, each given the pointer event first: hover, leave, press, drag(event, dx, dy),
 * release, cancel, tap, pinch(event, ratio since the last, dx, dy), wheel(event, 1 nearer or -1 farther). dx and dy: CSS pixels since the last.
 */
export function listenToGestures(element, on) {
  const fingers = new Map();
  let moved = false;
  let rolled = 0;

  element.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    element.setPointerCapture(event.pointerId);
    moved = fingers.size > 1;
    if (fingers.size === 1) on.press(event);
    else on.cancel(event);
  });

  element.addEventListener("pointermove", (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) {
      on.hover(event);
      return;
    }
    const dx = event.clientX - last.x;
    const dy = event.clientY - last.y;
    if (!moved && Math.hypot(dx, dy) < STILL) return;
    moved = true;
    const before = spread(fingers);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size === 1) on.drag(event, dx, dy);
    else if (fingers.size === 2) on.pinch(middle(fingers), spread(fingers) / before, dx / 2, dy / 2);
  });

  const up = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (event.type === "pointercancel") on.cancel(event);
    else if (!moved) on.tap(event);
    else if (!fingers.size) on.release(event);
  };
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener("pointerleave", (event) => on.leave(event));

  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const delta = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE * event.deltaY : event.deltaY;
      rolled = Math.sign(delta) === Math.sign(rolled) ? rolled + delta : delta;
      // A pinch on a touchpad comes as small steps with Ctrl.
      if (Math.abs(rolled) < (event.ctrlKey ? NOTCH / 5 : NOTCH)) return;
      rolled = 0;
      on.wheel(event, delta < 0 ? 1 : -1);
    },
    { passive: false },
  );
}

function spread(fingers) {
  const [one, other] = fingers.values();
  return other ? Math.hypot(one.x - other.x, one.y - other.y) || 1 : 1;
}

function middle(fingers) {
  const [one, other] = fingers.values();
  return { clientX: (one.x + other.x) / 2, clientY: (one.y + other.y) / 2 };
}
