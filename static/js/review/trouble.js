// What a person must settle: decisions that met somebody else's, and those that the server refused.

import { el } from "../lib/dom.js";
import { VERB_WORDS, clock, hour, number, plural, stateWords } from "./words.js";

/**
 * container: where the list stands; link: what leads to it on a small screen. actions: {overwrite, drop, retry, look}, each given the record; behind(record):
 * how many own decisions wait behind it.
 */
export class Trouble {
  #shown = "";

  constructor(container, { link, outbox, page, behind, actions }) {
    this.container = container;
    this.list = container.querySelector("ul");
    this.link = link;
    this.outbox = outbox;
    this.page = page;
    this.behind = behind;
    this.actions = actions;
  }

  render() {
    const records = this.outbox.troubled;
    const key = JSON.stringify(records.map((record) => [record.id, record.state, this.behind(record)]));
    if (key === this.#shown) return;
    this.#shown = key;
    this.container.hidden = records.length === 0;
    this.link.hidden = records.length === 0;
    this.link.textContent = records.length === 1 ? "1 decision needs you" : `${number(records.length)} decisions need you`;
    this.list.replaceChildren(...records.map((record) => this.#entry(record)));
  }

  #entry(record) {
    const { heading, text } = record.state === "conflict" ? this.#conflict(record) : this.#refusal(record);
    const count = this.behind(record);
    const more = count ? ` ${plural(count, "later decision")} of yours about it ${count === 1 ? "waits" : "wait"}.` : "";
    return el(
      "li",
      { class: "message warning", "data-record": record.id },
      el("strong", {}, heading),
      el("p", {}, text + more),
      el("div", { class: "row" }, ...this.#buttons(record)),
    );
  }

  #name(record) {
    const elsewhere = record.area === this.page.area.slug ? "" : ` of ${record.area_name}`;
    return `tile_${record.subject}${elsewhere}`;
  }

  #conflict(record) {
    const { cause, current } = record.problem;
    const mine = `You ${record.body.verb === "undo" ? "took your decision back" : stateOfVerdict(record, this.page)}.`;
    if (cause === "layers") {
      return { heading: `${this.#name(record)} was rebuilt since you saw it`, text: `${mine} Look at it again.` };
    }
    if (cause === "claim") {
      const text = `${mine} ${current.claim.by} has it on the screen, until ${hour(current.claim.until)}. It is not recorded until you choose.`;
      return { heading: `${this.#name(record)} is before ${current.claim.by} just now`, text };
    }
    const who = current.by || "a rule";
    const when = current.at ? `, ${clock(current.at)}` : "";
    const now = `Now it is ${stateWords(current, this.page.reasons)} (${who}${when}), and stays so until you choose.`;
    return {
      heading: `${this.#name(record)} was decided by ${who} meanwhile`,
      text: `${mine} ${now}`,
    };
  }

  #refusal(record) {
    return {
      heading: `${this.#name(record)}: not recorded`,
      text: `You ${record.body.verb === "undo" ? "took your decision back" : stateOfVerdict(record, this.page)}. ${record.problem.message}`,
    };
  }

  #buttons(record) {
    const button = (label, action, css = "") =>
      el("button", { type: "button", class: css, onclick: () => this.actions[action](record) }, label);
    const look = button("Look at it", "look");
    if (record.state === "refused") return [button("Try again", "retry"), look, button("Let go", "drop", "danger")];
    if (record.problem.cause === "layers") return [look, button("Let go", "drop", "danger")];
    if (record.problem.cause === "claim") return [button("Leave it to them", "drop"), button("Decide all the same", "overwrite", "danger"), look];
    if (record.body.verb === "undo") return [button("Keep theirs", "drop"), look];
    return [button("Keep theirs", "drop"), button("Overwrite with mine", "overwrite", "danger"), look];
  }
}

function stateOfVerdict(record, page) {
  const label = page.reasons.find((reason) => reason.code === record.body.reason)?.label;
  return VERB_WORDS[record.body.verb] + (label ? ` it (${label})` : " it");
}
