// The line of a swipe in the overlay's pane, to be taken by hand.

export function addDivider(pane, overlay) {
  const divider = document.createElement("div");
  divider.className = "divider";
  const own = (name, act) =>
    divider.addEventListener(name, (event) => {
      event.stopPropagation();
      act(event);
    });
  own("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
  own("pointermove", (event) => {
    if (divider.hasPointerCapture(event.pointerId)) overlay.slide(pane.pointOf(event).x / pane.size.width);
  });
  own("pointerup", () => overlay.settle());
  pane.frame.append(divider);
}
