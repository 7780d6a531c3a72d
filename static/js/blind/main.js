// A blind round: decided tiles judged again, without what was decided. An answer is sent at once and the next tile shown
// when it is kept, so that nothing waits unsent; sending one again counts once.

import { Failure, request } from "../lib/http.js";
import { uuid } from "../lib/ids.js";
import { Keys } from "../lib/keys.js";
import { Preferences } from "../lib/preferences.js";
import { ReasonDialog } from "../review/dialogs.js";
import { VERB_WORDS, number } from "../review/words.js";
import { Viewing } from "../viewer/viewing.js";

const AHEAD = 8;

class Blind {
  #items;
  #place = 0;
  #ready = false;
  #busy = false;
  #unanswered = null;
  #done = [];

  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.stage = root.querySelector("#stage");
    this.keys = new Keys();
    const preferences = new Preferences({ values: page.preferences, url: page.urls.preferences, person: page.person });
    this.viewing = new Viewing(this.stage, { root, page, keys: this.keys, preferences });
    this.reasons = new ReasonDialog(document.getElementById("reasons"), this.keys, page.reasons);
    this.#items = page.first;
    this.answered = page.answered;
  }

  start() {
    const actions = {
      approve: () => this.#answer("approve"),
      reject: () => this.#current && this.reasons.open((why) => this.#answer("reject", why)),
      unsure: () => this.#answer("unsure"),
      undo: () => this.#undo(),
      ...this.viewing.actions,
    };
    const byKey = {};
    for (const button of this.root.querySelectorAll("[data-action]")) {
      const action = actions[button.dataset.action];
      button.addEventListener("click", () => this.keys.run(action));
      for (const key of (button.dataset.keys ?? "").split(" ").filter(Boolean)) byKey[key] = action;
    }
    this.keys.open(byKey);
    this.viewing.addEventListener("ready", () => this.#markReady());
    this.viewing.addEventListener("say", ({ detail }) => this.#say(detail));
    this.#show();
    this.root.dataset.started = "true";
  }

  get #current() {
    return this.#items[this.#place] ?? null;
  }

  async #answer(verb, { reason = "", note = "" } = {}) {
    const item = this.#current;
    if (!item || !this.#ready) return;
    const id = await this.#send({ index: item.index, verb, reason, note, seen: item.layers });
    if (!id) return;
    this.#done.push({ id, place: this.#place });
    this.#place += 1;
    await this.#more();
    this.#show();
    this.#say(`${item.name} ${VERB_WORDS[verb]}.`);
  }

  async #undo() {
    const last = this.#done.at(-1);
    if (!last) {
      this.#say("There is nothing of this visit to undo.", true);
      return;
    }
    const item = this.#items[last.place];
    if (!(await this.#send({ index: item.index, verb: "undo", undoes: last.id }))) return;
    this.#done.pop();
    this.#place = last.place;
    this.#show();
    this.#say(`Undone: judge ${item.name} again.`);
  }

  /** The id under which it is kept, or null; the same answer sent again has the same id. */
  async #send(what) {
    if (this.#busy) return null;
    const words = JSON.stringify(what);
    if (this.#unanswered?.words !== words) this.#unanswered = { words, id: uuid() };
    const { id } = this.#unanswered;
    this.#busy = true;
    try {
      const body = { client_id: id, ...what };
      const { answered } = await request(this.page.urls.answers, { method: "POST", body, person: this.page.person });
      this.answered = answered;
      this.#unanswered = null;
      return id;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.#say(`Not recorded. ${failure.message}${failure.passing ? " Press the same again." : ""}`, true);
      return null;
    } finally {
      this.#busy = false;
    }
  }

  /** More tiles before these are through. What was undone stands among them already. */
  async #more() {
    if (this.#items.length - this.#place > AHEAD) return;
    const last = this.#items.at(-1)?.index;
    try {
      const { items } = await request(last === undefined ? this.page.urls.answers : `${this.page.urls.answers}?after=${last}`);
      this.#items.push(...items);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (!this.#current) this.#say(`The next tiles are not here yet. ${failure.message} Reload the page.`, true);
    }
  }

  #show() {
    const item = this.#current;
    this.#ready = false;
    this.stage.hidden = !item;
    this.stage.dataset.tile = item?.index ?? "";
    this.#part("finished").hidden = Boolean(item) || this.answered < this.page.size;
    this.#part("name").textContent = item?.name ?? "";
    this.#part("answered").textContent = number(this.answered);
    this.#part("size").textContent = number(this.page.size);
    for (const button of this.root.querySelectorAll(".verdicts button:not([data-action=undo])")) {
      button.setAttribute("aria-disabled", String(!item));
    }
    this.viewing.layers.want(this.#items.slice(this.#place, this.#place + AHEAD));
    this.viewing.show(item, null);
    this.#markReady();
  }

  #markReady() {
    const item = this.#current;
    this.#ready = Boolean(item && this.viewing.layers.has(item));
    this.stage.dataset.ready = String(this.#ready);
  }

  #say(text, urgent = false) {
    this.#part("live").textContent = text;
    this.#part("notice").textContent = urgent ? text : "";
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }
}

const data = document.getElementById("blind-page");
if (data) new Blind(document.getElementById("blind"), JSON.parse(data.textContent)).start();
