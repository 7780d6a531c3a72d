// The words and components that a person writes over a caption: kept as a draft at every key, saved, dropped, or settled
// with what somebody else saved meanwhile.

import { mergeView } from "../captions/merge.js";
import { componentsOf } from "./parts.js";
import { draftWords } from "./present.js";

export class Writing {
  /** {text, components} on the screen; null past the end. */
  work = null;
  #conflict = null;

  /** desk: the page. */
  constructor(desk) {
    this.desk = desk;
  }

  /** Show an item's work: what stands, or what was written of it. */
  open({ index, caption }) {
    const { words, parts, prompt, rivals, saving } = this.desk;
    this.work = saving.workOf(index, caption);
    words.show(this.work.text, caption.findings);
    parts.show(this.work.components);
    prompt.show(caption);
    rivals.show(caption);
    if (saving.has(index)) prompt.later();
    this.follow();
  }

  change(changes) {
    const { current: item, saving, prompt } = this.desk;
    if (!item) return;
    this.work = { ...this.work, ...changes };
    saving.write(item.index, this.work, item.caption);
    prompt.later();
    this.#status();
  }

  /** Chips know nothing of the prompt by hand. */
  changeParts(components) {
    this.change({ components: componentsOf({ ...components, prompt: this.work.components.prompt }) });
  }

  byHand(prompt) {
    this.change({ components: componentsOf({ ...this.work.components, prompt }) });
  }

  async save() {
    const { current: item, saving, parts, reading } = this.desk;
    if (!item) return;
    parts.enter();
    if (!saving.has(item.index)) {
      this.desk.say("Nothing is changed: Enter accepts it as it stands.", true);
      return;
    }
    if (!this.work.text.trim()) {
      this.desk.say("A caption cannot be empty. Write what the tile shows, or press r to leave it as it was.", true);
      return;
    }
    if (this.#conflict) return; // the view beside it asks what to do
    reading.saves(item);
    saving.submit(item.index);
    document.activeElement?.blur();
    await this.desk.next(`${item.name} is saved.`);
  }

  revert() {
    const { current: item, saving } = this.desk;
    if (!item) return;
    if (!saving.has(item.index)) {
      this.desk.say("Nothing is changed.");
      return;
    }
    saving.drop(item.index);
    this.desk.show();
    this.desk.say("What was not saved is dropped.");
  }

  /** The machine's words below become a draft above. */
  take() {
    const { current: item, words, parts, rivals } = this.desk;
    const { shown } = rivals;
    if (!item || !shown) return;
    const components = componentsOf({ ...this.work.components, ...shown.components });
    words.write(shown.text);
    parts.show(components);
    this.change({ text: shown.text, components });
    this.desk.say(`The words of ${shown.by} are a draft now: Ctrl+Enter saves them, r drops them.`);
  }

  /** Go to a text that could not be saved. */
  async toTrouble() {
    const [index] = this.desk.saving.troubled;
    if (index === undefined) return;
    await this.desk.goTo(index);
    this.desk.screen.part("merge").querySelector(".merge")?.focus();
  }

  /** What became of the save of the caption on the screen. */
  follow() {
    this.#status();
    this.#merge();
  }

  #status() {
    const { current: { index, caption }, saving, screen } = this.desk;
    const drafted = saving.has(index);
    const over = saving.isOver(index, caption);
    screen.part("says").textContent = draftWords({ drafted, over, state: saving.state(index) });
    screen.root.dataset.draft = String(drafted);
  }

  #merge() {
    const { current: { index }, saving, screen, words } = this.desk;
    const conflict = saving.state(index)?.conflict ?? null;
    const part = screen.part("merge");
    if (conflict === this.#conflict && part.childElementCount === (conflict ? 1 : 0)) return;
    this.#conflict = conflict;
    const view =
      conflict &&
      mergeView({
        conflict,
        onKeepMine: () => saving.submit(index),
        onTakeTheirs: () => this.#takeTheirs(index),
        onEdit: () => words.focus(),
      });
    part.replaceChildren(...(view ? [view] : []));
  }

  async #takeTheirs(index) {
    this.desk.saving.drop(index);
    await this.desk.refresh(index);
    this.desk.say("Theirs stands.");
  }
}
