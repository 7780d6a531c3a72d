// What is written and not saved: in the browser, on the server behind it, and on its way. One draft a tile.

import { Drafts } from "../captions/drafts.js";
import { CaptionOutbox } from "../captions/outbox.js";
import { Kept } from "./kept.js";
import { componentsOf } from "./parts.js";

const UNSENT = ["sending", "waiting", "signed-out"];

/** Events: `change` with detail {index}; `saved` with detail the caption as the server answered it. */
export class Saving extends EventTarget {
  constructor({ area, person, remote }) {
    super();
    this.drafts = new Drafts({ person, area });
    this.kept = new Kept(remote);
    this.outbox = new CaptionOutbox({
      remote,
      drafts: this.drafts,
      onChange: (index) => this.#tell("change", { index }),
      onSaved: (caption) => {
        if (!this.drafts.get(caption.index)) this.kept.drop(caption.index);
        this.#tell("saved", caption);
      },
    });
  }

  /** {text, components} to be shown of a caption: what somebody wrote, here or on another computer, or what stands. */
  workOf(index, caption) {
    const { draft } = caption;
    if (draft) this.kept.known(index);
    if (draft && !this.drafts.get(index)) this.#adopt(index, caption, draft);
    const here = this.drafts.get(index);
    if (here && !this.outbox.state(index) && same(here, caption)) this.drop(index);
    const { text, components } = this.drafts.get(index) ?? caption;
    return { text, components: componentsOf(components ?? caption.components) };
  }

  /** Whether something of a tile is not saved. */
  has(index) {
    return Boolean(this.drafts.get(index));
  }

  /** A draft over an older version than the one that stands. */
  isOver(index, caption) {
    const draft = this.drafts.get(index);
    return Boolean(draft) && draft.base !== caption.version;
  }

  write(index, { text, components }, caption) {
    if (same({ text, components }, caption) && !this.outbox.state(index)) {
      this.drop(index);
      return;
    }
    this.outbox.write(index, text, caption.version, components);
    this.kept.put(index, this.drafts.get(index));
    this.#tell("change", { index });
  }

  submit(index) {
    this.outbox.submit(index);
  }

  /** Forget what was written. */
  drop(index) {
    this.outbox.discard(index);
    this.kept.drop(index);
  }

  state(index) {
    return this.outbox.state(index);
  }

  /** Tiles whose saves the server has not answered. */
  get unsent() {
    return this.outbox.unanswered();
  }

  get signedOut() {
    return [...this.outbox.states.values()].some(({ kind }) => kind === "signed-out");
  }

  /** Tiles whose text could not be saved: a person must look. */
  get troubled() {
    return [...this.outbox.states].filter(([, { kind }]) => !UNSENT.includes(kind)).map(([index]) => index);
  }

  #adopt(index, caption, draft) {
    if (same(draft, caption)) this.kept.drop(index);
    else this.outbox.write(index, draft.text, draft.base, componentsOf(draft.components));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function same(one, other) {
  const components = (each) => JSON.stringify(componentsOf(each.components ?? other.components));
  return one.text === other.text && components(one) === components(other);
}
