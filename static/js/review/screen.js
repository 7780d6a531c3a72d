// Everything of the review page that is text: facts, counts, the last decisions, what is unsent. Draws, decides nothing.

import { el } from "../lib/dom.js";
import { SIGNS, VERB_WORDS, factsOf, hour, number, plural, stateWords } from "./words.js";

const GRACE = 1_500;

export class Screen {
  #spoken = "";
  #slow = 0;
  #listed = null;

  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.stage = root.querySelector("#stage");
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.verdicts = root.querySelectorAll("[data-needs-tile]");
    this.parts.last.addEventListener("keydown", (event) => this.#alongLast(event));
    this.facts = [...root.querySelectorAll("[data-fact]")];
  }

  /** Tell people who do not look at the screen, and those who do. */
  say(text, { urgent = false } = {}) {
    // The same words twice are still news: a changed node is read out again.
    const again = text === this.#spoken ? `${text}\u00a0` : text;
    this.#spoken = again;
    this.parts.live.textContent = again;
    this.parts.notice.textContent = urgent ? text : "";
  }

  tile(item, shown) {
    const facts = item ? factsOf(item) : {};
    for (const fact of this.facts) fact.textContent = facts[fact.dataset.fact] || (fact.matches("dd") ? "–" : "");
    for (const verdict of this.verdicts) verdict.setAttribute("aria-disabled", String(!item));
    this.parts.name.textContent = item?.name ?? "";
    this.parts.flags.textContent = item?.flags.join(" · ") ?? "";
    this.parts.flags.title = this.parts.flags.textContent;
    this.state(shown);
    this.#claim(item);
    document.title = `${item?.name ?? "Review"} · ${this.page.area.name} · Demeter`;
  }

  /** Who else has the tile on the screen. */
  #claim(item) {
    const claim = item?.claim && new Date(item.claim.until) > new Date() ? item.claim : null;
    this.parts.claim.textContent = claim ? `${claim.by} is looking at it, until ${hour(claim.until)}.` : "";
  }

  state(shown) {
    this.parts.state.className = `state ${shown?.state ?? ""}`;
    this.parts.state.textContent = shown ? stateWords(shown, this.page.reasons) : "";
  }

  counts(counts) {
    this.parts.left.textContent = number(Math.max(0, counts.pending + counts.second + counts.disputed));
    this.parts.built.textContent = number(counts.built);
  }

  /** The last decisions, each a button that leads back to its tile. */
  last(entries, goTo) {
    const key = JSON.stringify(entries.map(({ id, undone, unsent }) => [id, undone, unsent]));
    if (key === this.#listed) return;
    this.#listed = key;
    const held = this.parts.last.contains(document.activeElement) && document.activeElement.dataset.entry;
    const label = (reason) => this.page.reasons.find((each) => each.code === reason)?.label.toLowerCase();
    const buttons = entries.map((entry) => {
      const why = entry.to.reason ? `, ${label(entry.to.reason)}` : "";
      const undone = entry.undone ? ", undone" : "";
      const what = `${VERB_WORDS[entry.verb]}${why}${undone}${entry.unsent ? ", not sent yet" : ""}`;
      return el(
        "li",
        {},
        el(
          "button",
          { type: "button", "data-entry": entry.id, class: entry.undone ? "undone" : "", onclick: () => goTo(entry.index), title: what },
          el("span", { class: `state ${entry.undone ? "pending" : entry.to.state}`, "aria-hidden": "true" }, ""),
          `${entry.index}`,
          el("span", { class: "visually-hidden" }, ` ${what}`),
          entry.unsent && el("span", { class: "unsent", "aria-hidden": "true" }, "•"),
        ),
      );
    });
    this.parts.last.replaceChildren(...buttons);
    this.parts["last-empty"].hidden = buttons.length > 0;
    if (held) this.parts.last.querySelector(`[data-entry="${held}"]`)?.focus();
  }

  /** Let the keyboard go on in the list of the last decisions; returns whether there is any. */
  enterLast() {
    const first = this.parts.last.querySelector("button");
    if (first) this.parts.last.closest("details").open = true;
    first?.focus();
    return Boolean(first);
  }

  #alongLast(event) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const buttons = [...this.parts.last.querySelectorAll("button")];
    buttons[buttons.indexOf(event.target) + by]?.focus();
  }

  /** How much is unsent, and why when that lasts. */
  unsent(outbox) {
    const count = outbox.waiting.length;
    const { failure } = outbox;
    clearTimeout(this.#slow);
    if (!count) this.#status("All decisions are sent.", "");
    else if (failure) this.#status(`${number(count)} unsent, retrying. ${reasonOf(failure)}`, "warning");
    else this.#slow = setTimeout(() => this.#status(`${plural(count, "decision")} on the way.`, ""), GRACE);
    this.root.dataset.unsent = String(count);
    document.getElementById("signed-out").hidden = !(count && failure?.signedOut);
    this.parts.memory.hidden = outbox.lasting;
  }

  /** The end of the queue: what was done, and what can be done next. */
  finished({ title, text, actions }) {
    this.parts.finished.hidden = false;
    this.parts["finished-title"].textContent = title;
    this.parts["finished-text"].textContent = text;
    this.parts["finished-actions"].replaceChildren(
      ...actions.map(([label, action]) => el("button", { type: "button", onclick: action }, label)),
    );
  }

  /** No tile stands there for now. */
  nothing() {
    this.stage.hidden = true;
    this.stage.dataset.tile = "";
  }

  unfinished() {
    this.parts.finished.hidden = true;
  }

  #status(text, tone) {
    const { status } = this.parts;
    if (status.textContent === text) return;
    status.textContent = text;
    status.classList.toggle("warning", tone === "warning");
  }
}

function reasonOf(failure) {
  if (failure.code === "other_person") return failure.message;
  if (failure.signedOut) return "You are signed out; go on, your work is kept.";
  return failure.message;
}

export function dayWords(verbs) {
  const parts = Object.keys(SIGNS).filter((verb) => verbs[verb]).map((verb) => `${VERB_WORDS[verb]} ${number(verbs[verb])}`);
  return parts.length ? `Today you ${parts.join(", ")}.` : "";
}
