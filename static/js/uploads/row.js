// How one transfer looks.

import { el } from "../lib/dom.js";

const MEGA = 1e6;

export function size(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  return bytes >= MEGA ? `${(bytes / MEGA).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1000))} kB`;
}

function left(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** State word of the design system, and what is said about it. */
function told(transfer) {
  const share = `${size(transfer.offset)} of ${size(transfer.size)}`;
  switch (transfer.state) {
    case "found": return ["paused", `${transfer.problem} ${share} are here. Choose the same file again to go on.`];
    case "waiting": return ["queued", "waiting for its turn"];
    case "retrying": return ["paused", `${share}. ${transfer.problem || "Looking where to go on."} It goes on by itself.`];
    case "paused": return ["paused", `paused, ${share}`];
    case "checking": return ["running", transfer.problem ? `${transfer.problem} Asking again.` : "all is here; a worker checks it"];
    case "accepted": return ["done", "accepted"];
    case "cancelled": return ["cancelled", "cancelled"];
    case "refused": case "stuck": return ["failed", `not accepted: ${transfer.problem}`];
    default: {
      if (transfer.problem) return ["paused", `${transfer.problem} It goes on by itself.`];
      const rate = transfer.rate ? `, ${size(transfer.rate)}/s, ${left(transfer.secondsLeft)} left` : "";
      return ["running", `${share}${rate}`];
    }
  }
}

function button(label, name, act, kind = "") {
  return el("button", { type: "button", class: kind, onclick: act }, label, el("span", { class: "visually-hidden" }, ` ${name}`));
}

/** Which buttons a state has: [key, label, what the page is asked to do]. */
function choices(transfer) {
  switch (transfer.state) {
    case "waiting": case "sending": return [["pause", "Pause"], ["cancel", "Cancel"]];
    case "retrying": return [["now", "Try now"], ["pause", "Pause"], ["cancel", "Cancel"]];
    case "paused": return [["resume", "Resume"], ["cancel", "Cancel"]];
    case "found": case "checking": return [["cancel", "Cancel"]];
    case "stuck": return [transfer.suggestion && ["rename", `Upload as ${transfer.suggestion}`], ["forget", "Leave it out"]].filter(Boolean);
    case "refused": case "cancelled": return [["forget", "Remove from this list"]];
    default: return [];
  }
}

export class Row {
  #shown = "";

  constructor(transfer, act) {
    this.transfer = transfer;
    this.act = act;
    this.name = el("strong", { class: "break" });
    this.words = el("span", { class: "state wrap" });
    this.progress = el("progress", { max: "100" });
    this.buttons = el("div", { class: "row" });
    this.element = el("li", { class: "upload stack-tight" }, el("div", {}, this.name, " ", this.words), this.progress, this.buttons);
    this.draw();
  }

  draw() {
    const { transfer } = this;
    const [word, text] = told(transfer);
    this.name.textContent = transfer.name;
    this.words.className = `state wrap ${word}`;
    this.words.textContent = text;
    this.progress.hidden = transfer.over || transfer.state === "stuck";
    this.progress.setAttribute("aria-label", `Sent of ${transfer.name}`);
    this.progress.value = transfer.size ? (100 * transfer.offset) / transfer.size : 0;
    const wanted = choices(transfer);
    const key = JSON.stringify([wanted, transfer.name]);
    if (key === this.#shown) return;
    // Buttons are left alone while they stay the same, so that a key or a click does not fall between two of them.
    this.#shown = key;
    const held = this.buttons.contains(document.activeElement);
    this.buttons.replaceChildren(...wanted.map(([what, label]) => button(label, transfer.name, () => this.act(what, transfer))));
    if (held) this.buttons.querySelector("button")?.focus();
  }
}
