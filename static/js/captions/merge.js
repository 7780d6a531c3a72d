// Two people wrote over the same version: both texts, and what can be done about it.

import { el } from "../lib/dom.js";
import { diffNodes, key, when, writer } from "./dom.js";

/** conflict: `current`, `yours` and `diff` of the server's 409. Keys work while the focus is inside. */
export function mergeView({ conflict, onKeepMine, onTakeTheirs, onEdit }) {
  const { current, diff } = conflict;
  const acts = { m: onKeepMine, t: onTakeTheirs, e: onEdit };
  const button = (letter, words) =>
    el("button", { type: "button", "aria-keyshortcuts": letter, onclick: acts[letter] }, words, key(letter));
  const view = el(
    "section",
    { class: "merge message warning stack-tight", "aria-label": "Two versions of this caption", tabindex: "-1" },
    el("p", {}, el("strong", {}, `${theirName(current)} saved this caption since you opened it.`), " Nothing is lost."),
    el(
      "div",
      { class: "columns" },
      version("Theirs", ["version ", current.version, ", ", writer(current), ", ", when(current.at)], [current.text]),
      version("Yours", ["not saved; changes from theirs are marked"], diffNodes(diff)),
    ),
    el("div", { class: "row" }, button("m", "Keep mine"), button("t", "Take theirs"), button("e", "Edit a merge")),
  );
  view.addEventListener("keydown", (event) => {
    const act = acts[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  return view;
}

function theirName({ origin, author }) {
  return author ?? `The captioner ${origin}`;
}

function version(name, about, text) {
  return el(
    "div",
    {},
    el("h3", {}, name),
    el("p", { class: "soft small" }, ...about.map((part) => (typeof part === "number" ? String(part) : part))),
    el("p", { class: "caption-words" }, ...text),
  );
}
