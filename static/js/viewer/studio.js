// The worker's side door: asks it and waits for its answer.

export class Studio {
  #worker;
  #waiting = new Map();
  #last = 0;

  /** url: the worker's module. tables: name -> base64 of 768 bytes. */
  constructor(url, tables) {
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.addEventListener("message", ({ data: { id, ...answer } }) => this.#answered(id, answer));
    this.#worker.addEventListener("error", () => this.#broken());
    const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    this.#ask({ kind: "tables", tables: Object.fromEntries(Object.entries(tables).map(([name, text]) => [name, bytes(text)])) });
  }

  /** An ImageBitmap of the file, its bytes as they are stored. */
  async picture(blob) {
    return (await this.#ask({ kind: "picture", blob })).bitmap;
  }

  /** The heights in a body of tiles/raster/packed.py. */
  async heights(buffer) {
    return (await this.#ask({ kind: "heights", buffer }, [buffer])).heights;
  }

  /** An ImageBitmap of heights in the way of a recipe. */
  async shade(heights, recipe) {
    return (await this.#ask({ kind: "shade", heights, recipe })).bitmap;
  }

  #ask(message, moved = []) {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      this.#waiting.set(this.#last, { resolve, reject });
      this.#worker.postMessage({ id: this.#last, ...message }, moved);
    });
  }

  #answered(id, answer) {
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (answer.failed === undefined) resolve(answer);
    else reject(new Error(answer.failed));
  }

  #broken() {
    for (const { reject } of this.#waiting.values()) reject(new Error("the browser's worker does not run"));
    this.#waiting.clear();
  }
}
