// What the page says beside the picture and the words: whose caption it is, how far it is read, and what just happened.

import { number } from "../review/words.js";
import { measures, stateWords } from "./present.js";

export class Screen {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector("#stage");
  }

  part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  say(text, urgent = false) {
    this.part("live").textContent = text;
    this.part("notice").textContent = urgent ? text : "";
  }

  /** item: of the queue; null past the end, which is only said to be one when `atEnd`. */
  open(item, { atEnd }) {
    this.stage.hidden = !item;
    this.stage.dataset.tile = item?.index ?? "";
    this.part("words").hidden = !item;
    this.part("finished").hidden = Boolean(item) || !atEnd;
    this.part("name").textContent = item?.name ?? "captions";
  }

  /** left: how many nobody has read; capped: there are more. */
  head(item, { left, capped }) {
    const caption = item?.caption;
    this.part("state").textContent = caption ? stateWords(caption) : "";
    this.part("flag").hidden = !caption?.flagged;
    this.root.querySelector("[data-action=flag]").setAttribute("aria-pressed", String(Boolean(caption?.flagged)));
    this.part("measures").textContent = item ? measures(item) : "";
    this.part("left").textContent = `${number(left)}${capped ? "+" : ""}`;
  }

  ended(others) {
    this.part("finished-text").textContent = others.replaceAll("tile", "caption") || "Nothing more waits for you here.";
  }

  /** Which pictures are here already: the one that is shown, and the next. */
  ready(current, following) {
    this.stage.dataset.ready = String(Boolean(current));
    this.stage.dataset.ahead = following?.index ?? "";
  }

  /** What is not on the server yet. troubled: a tile whose text could not be saved. */
  unsent({ number: unsent, failure, signedOut, troubled }) {
    this.root.dataset.unsent = unsent;
    this.part("unsent").textContent = failure && unsent ? `${unsent} not sent yet. ${failure.message} It is kept here and tried again.` : "";
    document.getElementById("signed-out").hidden = !signedOut;
    this.part("trouble").hidden = troubled === undefined;
    if (troubled !== undefined) this.say(`The text of tile_${troubled} could not be saved.`, true);
  }
}
