// What mouse and fingers do on a pane: point, pin, push, zoom, and draw the line of a profile.

export class Hands {
  #pressed = null;
  #tracing = false;
  #pinch = null;

  /** view, crosshair, profile: of the stage. redraw(): draws all of it. */
  constructor({ view, crosshair, profile, redraw }) {
    this.view = view;
    this.crosshair = crosshair;
    this.profile = profile;
    this.redraw = redraw;
  }

  /** The gestures of one pane, as listenToGestures wants them. */
  of(pane, row) {
    const pixelAt = (event) => pane.pixelAt(event, row.image);
    return {
      hover: (event) => event.pointerType !== "touch" && this.crosshair.point(pixelAt(event), row.index),
      leave: (event) => event.pointerType !== "touch" && !event.buttons && this.crosshair.point(null),
      press: (event) => {
        this.#pressed = pixelAt(event);
      },
      drag: (event, dx, dy) => this.#drag({ event, dx, dy, pane, row }),
      release: () => {
        if (this.#tracing) this.profile.finish();
        this.#rest();
      },
      cancel: () => this.#rest(),
      tap: (event) => this.#tap(pixelAt(event), row.index),
      pinch: (middle, ratio, dx, dy) => this.#pinched({ middle, ratio, dx, dy, pane, row }),
      wheel: (event, direction) => {
        this.view.step(direction, pane.pointOf(event), row.image, pane.size);
        this.redraw();
        this.crosshair.point(pixelAt(event), row.index);
      },
    };
  }

  #rest() {
    this.#pinch = null;
    this.#tracing = false;
  }

  #drag({ event, dx, dy, pane, row }) {
    if (this.profile.isOpen) {
      const pixel = pane.pixelAt(event, row.image);
      if (!this.#tracing) this.profile.begin(this.#pressed, row.index);
      this.#tracing = true;
      this.profile.extend(pixel, row.index);
      if (pixel) this.crosshair.point(pixel, row.index);
    } else if (!this.view.fitted) {
      this.#push(dx, dy, pane, row);
      this.redraw();
    }
  }

  #tap(pixel, row) {
    if (!pixel) return;
    if (this.profile.isOpen) {
      this.profile.mark(pixel, row);
      return;
    }
    const { pixel: last, pinned, row: lastRow } = this.crosshair;
    if (pinned && row === lastRow && last.col === pixel.col && last.row === pixel.row) this.crosshair.unpin();
    else this.crosshair.pin(pixel, row);
  }

  /** The scale that the fingers mean runs on between the steps that are drawn. */
  #pinched({ middle, ratio, dx, dy, pane, row }) {
    this.#pinch = (this.#pinch ?? this.view.place(row.image, pane.size).scale) * ratio;
    this.view.zoom(this.#pinch, pane.pointOf(middle), row.image, pane.size);
    this.#push(dx, dy, pane, row);
    this.redraw();
  }

  #push(dx, dy, pane, row) {
    this.view.pan(dx * devicePixelRatio, dy * devicePixelRatio, row.image, pane.size);
  }
}
