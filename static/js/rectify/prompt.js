// The composed prompt. The server composes it; while it is asked, the last one that is known stands there in grey. A
// prompt written whole by hand holds until what it replaced would be composed differently.

import { Failure } from "../lib/http.js";

const PAUSE = 250;

export class Prompt {
  #timer = 0;
  #asked = 0;
  #known = null;
  #fresh = false;

  /**
   * work(): {index, text, components} on the screen. ask(index, body): the server's preview. onPreview(index, preview);
   * onByHand(prompt): {text, of}, or null to compose again.
   */
  constructor(root, { work, ask, onPreview, onByHand, say }) {
    this.root = root;
    this.does = { work, ask, onPreview, onByHand, say };
    this.words = this.#part("prompt");
    this.field = this.#part("prompt-field");
    this.says = this.#part("prompt-says");
    this.again = this.#part("prompt-drop");
    this.field.addEventListener("input", () => this.#typed());
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      this.#close();
    });
  }

  /** preview: what the server composed of the caption that is shown now. */
  show(preview) {
    this.#forget();
    this.#close();
    this.#take(preview);
  }

  /** The words or components changed: ask beside the work. */
  later() {
    this.#forget();
    this.#fresh = false;
    this.words.classList.add("known");
    this.#timer = setTimeout(() => this.#ask().catch(() => {}), PAUSE);
  }

  /** Open the field for the whole prompt; at once, unless what it replaces is being composed. */
  async byHand() {
    if (!this.does.work()) return;
    try {
      if (!this.#fresh && !(await this.#askNow())) return;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.does.say(`${failure.message} A prompt by hand needs the composed one; try again.`, true);
      return;
    }
    this.field.value = this.#known.prompt;
    this.field.hidden = false;
    this.words.hidden = true;
    this.field.focus();
  }

  /** Drop the prompt by hand, and let the components make it. */
  composeAgain() {
    if (!this.does.work() || this.again.hidden) return;
    this.#close();
    this.does.onByHand(null);
  }

  #typed() {
    const text = this.field.value.trim();
    this.does.onByHand(text ? { text, of: this.#known.composed } : null);
  }

  #close() {
    this.field.blur();
    this.field.hidden = true;
    this.words.hidden = false;
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#asked += 1;
  }

  #askNow() {
    this.#forget();
    return this.#ask();
  }

  /** Whether the answer was still wanted when it came. */
  async #ask() {
    const { index, text, components } = this.does.work();
    const mine = this.#asked;
    try {
      const preview = await this.does.ask(index, { text, components });
      if (mine !== this.#asked) return false;
      this.#take(preview);
      this.does.onPreview(index, preview);
      return true;
    } catch (failure) {
      if (mine === this.#asked) this.says.textContent = `${failure.message} The prompt shown is the last one known.`;
      throw failure;
    }
  }

  #take(preview) {
    this.#known = preview;
    this.#fresh = true;
    this.words.textContent = preview.prompt;
    this.words.classList.remove("known");
    const byHand = preview.prompt !== preview.composed;
    this.again.hidden = !byHand && !preview.stale;
    if (preview.stale) {
      this.says.textContent = "The prompt written by hand holds no more, since the text or a component changed: this is the composed one.";
    } else {
      this.says.textContent = byHand ? "Written by hand. It holds until the text or a component changes." : "";
    }
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }
}
