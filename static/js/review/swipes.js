// Fingers: a swipe to the left is the next, to the right the previous.

const FAR = 60;

/** onSwipe("next" | "previous"); `rests` says when swipes mean something else, scrolling for instance. */
export function listenToSwipes(element, onSwipe, rests = () => false) {
  let from = null;
  const begin = ({ touches }) => {
    from = touches.length === 1 ? { x: touches[0].clientX, y: touches[0].clientY } : null;
  };
  const end = ({ changedTouches }) => {
    if (!from || rests()) return;
    const x = changedTouches[0].clientX - from.x;
    const y = changedTouches[0].clientY - from.y;
    from = null;
    if (Math.abs(x) >= FAR && Math.abs(x) >= 2 * Math.abs(y)) onSwipe(x < 0 ? "next" : "previous");
  };
  element.addEventListener("touchstart", begin, { passive: true });
  element.addEventListener("touchend", end);
}
