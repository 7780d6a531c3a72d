// The words below the text: what a machine wrote, as a word diff, or what another captioner says of the same tile.

export class Rivals {
  #machine = null;
  #rivals = [];
  #diff = [];
  #chosen = -1;

  /** words: shows them. count: an element for how many there are. */
  constructor(words, count) {
    this.words = words;
    this.count = count;
  }

  /** caption: {machine, rivals, diff}, the machine's own words first. */
  show({ machine, rivals, diff }) {
    this.#machine = machine;
    this.#rivals = rivals;
    this.#diff = diff;
    this.#chosen = -1;
    this.#draw();
  }

  /** The diff from the machine's words to the text as it is now. */
  differs(diff) {
    this.#diff = diff;
    this.#draw();
  }

  /** Show the next, after the last the machine's own again; says which it is. */
  next() {
    if (!this.#rivals.length) return "No other captioner has written about this tile.";
    this.#chosen = this.#chosen + 1 >= this.#rivals.length ? -1 : this.#chosen + 1;
    this.#draw();
    return this.#name;
  }

  /** What is shown: {text, by, components}, the last for a rival only; null for nothing. */
  get shown() {
    const rival = this.#rivals[this.#chosen];
    if (rival) return { ...rival, by: rival.captioner };
    return this.#machine && { text: this.#machine.text, by: this.#machine.origin };
  }

  get #name() {
    const rival = this.#rivals[this.#chosen];
    if (!rival) return this.#machine ? `What ${this.#machine.origin} wrote` : "";
    const sure = rival.confidence === null ? "" : `, ${Math.round(100 * rival.confidence)} % sure`;
    return `Rival: ${rival.captioner}${sure}`;
  }

  #draw() {
    const all = this.#rivals.length;
    this.count.textContent = all ? `${this.#chosen + 1} of ${all}` : "";
    const diff = this.#rivals[this.#chosen] ? [] : this.#diff;
    this.words.ghost(this.#name, this.shown?.text ?? "", diff);
  }
}
