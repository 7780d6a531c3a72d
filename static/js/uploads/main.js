// Sending elevation models from the build page: one file after the other, and on again after whatever cuts it off.

import { Failure, request } from "../lib/http.js";
import { Row } from "./row.js";
import { Transfer } from "./transfer.js";

const ENDS = {
  accepted: "is accepted, and chosen for the build.",
  refused: "was not accepted.",
  stuck: "was not taken.",
};

class Uploads {
  #rows = new Map();
  #told = new Map();
  #watched = new Set();
  #most = 2 ** 20;
  #working = false;

  constructor(root) {
    this.root = root;
    this.url = root.dataset.url;
    this.list = root.querySelector("[data-list]");
    this.status = root.querySelector("[data-status]");
    this.input = root.querySelector("input[type=file]");
    this.zone = root.querySelector("[data-zone]");
    this.chosen = root.querySelector("[data-chosen]");
  }

  async open() {
    this.#listen();
    this.zone.hidden = false;
    try {
      const { items, chunk_size: most } = await request(this.url);
      this.#most = most;
      for (const known of items) this.#show(new Transfer({ url: this.url, known, most }));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.status.textContent = `${error.message} Files can be chosen all the same.`;
    }
    this.root.dataset.ready = "";
    this.#work();
  }

  #listen() {
    this.input.addEventListener("change", () => {
      this.#take([...this.input.files]);
      this.input.value = "";
    });
    for (const name of ["dragenter", "dragover"]) this.zone.addEventListener(name, (event) => this.#over(event, true));
    this.zone.addEventListener("dragleave", (event) => this.#over(event, false));
    this.zone.addEventListener("drop", (event) => {
      this.#over(event, false);
      this.#take([...event.dataTransfer.files]);
    });
    addEventListener("beforeunload", (event) => {
      if ([...this.#rows.keys()].some((transfer) => transfer.underWay)) event.preventDefault();
    });
  }

  #over(event, over) {
    event.preventDefault();
    this.zone.classList.toggle("over", over);
  }

  /** Files that were chosen: on with one that was begun, else a new one each. */
  async #take(files) {
    for (const file of files) {
      const begun = [...this.#rows.keys()].find((one) => one.state === "found" && mayBe(one, file));
      const wanted = begun && (await this.#adopt(begun, file));
      if (!wanted && begun?.name !== file.name) this.#show(new Transfer({ url: this.url, file, most: this.#most }));
    }
    this.#work();
  }

  async #adopt(transfer, file) {
    try {
      return await transfer.adopt(file);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.status.textContent = error.message;
      return false;
    }
  }

  #show(transfer) {
    const row = new Row(transfer, (what, which) => this.#act(what, which));
    this.#rows.set(transfer, row);
    this.list.append(row.element);
    transfer.addEventListener("change", () => this.#changed(transfer));
  }

  #changed(transfer) {
    this.#rows.get(transfer)?.draw();
    if (this.#told.get(transfer) === transfer.state) return;
    this.#told.set(transfer, transfer.state);
    if (transfer.state in ENDS) this.status.textContent = `${transfer.name} ${ENDS[transfer.state]}`;
    if (transfer.state === "accepted") this.#accepted(transfer);
  }

  #act(what, transfer) {
    if (what === "pause") transfer.pause();
    if (what === "now") transfer.tryNow();
    if (what === "cancel") transfer.cancel();
    if (what === "resume") transfer.resume();
    if (what === "rename") transfer.resume({ name: transfer.suggestion });
    if (what === "forget") this.#forget(transfer);
    this.#work();
  }

  #forget(transfer) {
    const { element } = this.#rows.get(transfer);
    if (element.contains(document.activeElement)) this.input.focus();
    element.remove();
    this.#rows.delete(transfer);
  }

  /** One file is sent at a time; any number is being checked meanwhile. */
  async #work() {
    this.#watchAll();
    if (this.#working) return;
    this.#working = true;
    for (let next = this.#next(); next; next = this.#next()) {
      await next.run();
      this.#watchAll();
    }
    this.#working = false;
  }

  #next() {
    return [...this.#rows.keys()].find((transfer) => transfer.state === "waiting");
  }

  #watchAll() {
    for (const transfer of this.#rows.keys()) {
      if (transfer.state !== "checking" || this.#watched.has(transfer)) continue;
      this.#watched.add(transfer);
      transfer.watch();
    }
  }

  /** The list of what can be chosen is asked for again; what was ticked stays ticked, and the new file is. */
  async #accepted(transfer) {
    const ticked = new Set([...this.chosen.querySelectorAll("input:checked")].map((box) => box.value));
    await window.htmx.ajax("GET", this.chosen.dataset.url, { target: this.chosen, swap: "innerHTML" });
    this.root.querySelector("[data-heading]").hidden = false;
    for (const box of this.chosen.querySelectorAll("input")) {
      box.checked = ticked.has(box.value) || box.value === `uploads/${transfer.name}`;
    }
    this.#forget(transfer);
  }
}

/** Whether a file may be the one that was begun: a GeoTIFF may have got another name on the way. */
function mayBe(transfer, file) {
  if (transfer.size !== file.size) return false;
  const hgt = [transfer.name, file.name].some((name) => name.toLowerCase().endsWith(".hgt"));
  return transfer.name === file.name || !hgt;
}

const root = document.getElementById("uploads");
if (root) new Uploads(root).open();
