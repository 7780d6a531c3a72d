// The editor of a caption. The caption page has one; the review page mounts one under its pictures.
//
//   const editor = mountCaption(element, { area, index, caption, canEdit, person, onSaved, onClose, onDrafts });
//   editor.show({ index, caption });   // another tile, its caption loaded ahead; without one it is fetched
//   editor.focus(); editor.save(); editor.unsaved(); editor.destroy();
//
// `caption` is an item of /api/v1/areas/<slug>/captions/: {index, version, text, origin, author, at}.
// onSaved(caption): the server has it, also of a tile that is no longer shown. onClose(): Esc was pressed.
// onDrafts(indexes): which tiles of the area have text here that the server has not acknowledged.
// person: the user's id; drafts belong to one person. Without it, data-person of <body> is taken.

import { el } from "../lib/dom.js";
import { key, when, writer } from "./dom.js";
import { Drafts } from "./drafts.js";
import { mergeView } from "./merge.js";
import { CaptionOutbox } from "./outbox.js";
import { connect } from "./remote.js";

const MOST = 2000;
let count = 0;

export function mountCaption(element, options) {
  return new CaptionEditor(element, options);
}

class CaptionEditor {
  constructor(element, { area, index, caption, canEdit = false, person, onSaved, onClose, onDrafts }) {
    this.canEdit = canEdit;
    this.told = { onSaved, onClose, onDrafts };
    const whose = String(person ?? document.body.dataset.person ?? "");
    this.remote = connect({ area, person: whose });
    this.drafts = new Drafts({ person: whose, area });
    this.touched = new Set();
    this.outbox = new CaptionOutbox({
      remote: this.remote,
      drafts: this.drafts,
      onChange: (changed) => this.changed(changed),
      onSaved: (saved) => this.saved(saved),
    });
    this.build(element);
    this.stop = new AbortController();
    addEventListener("beforeunload", (event) => this.leaving() && event.preventDefault(), { signal: this.stop.signal });
    this.show({ index, caption });
    if (canEdit) this.outbox.resume();
  }

  // --- What the page calls ---

  show({ index, caption }) {
    this.index = index;
    this.caption = null;
    if (caption) this.take(caption);
    else this.fetch();
  }

  focus() {
    if (!this.canEdit) return;
    this.field.focus();
    this.field.setSelectionRange(this.field.value.length, this.field.value.length);
  }

  save() {
    if (!this.canEdit || !this.caption) return;
    if (!this.drafts.get(this.index)) {
      this.say(this.caption.version ? "Saved already: nothing has changed." : "Write something first.");
      return;
    }
    this.outbox.submit(this.index);
  }

  /** Indexes of this area's tiles with text that the server has not acknowledged. */
  unsaved() {
    return this.drafts.indexes();
  }

  /** A newer caption of the shown tile than the one it has, after a restoration for instance. */
  refresh(caption) {
    if (caption.index === this.index) this.take(caption);
  }

  destroy() {
    this.outbox.close();
    this.stop.abort();
    this.root.remove();
  }

  // --- Building ---

  build(element) {
    count += 1;
    const id = `caption-text-${count}`;
    this.about = el("p", { class: "soft small" });
    this.merge = el("div", {});
    this.status = el("p", { class: "caption-status small", role: "status" });
    this.root = el("div", { class: "caption-editor stack-tight" });
    if (this.canEdit) {
      this.field = el("textarea", {
        id,
        class: "caption-words",
        rows: "5",
        spellcheck: "true",
        "aria-describedby": `${id}-status`,
        oninput: () => this.typed(),
        onkeydown: (event) => this.pressed(event),
      });
      this.status.id = `${id}-status`;
      this.length = el("span", { class: "soft small" });
      this.saving = el(
        "button",
        { type: "button", class: "primary", "aria-keyshortcuts": "Control+Enter", onclick: () => this.save() },
        "Save",
        key("Ctrl+Enter"),
      );
      this.discarding = el("button", { type: "button", onclick: () => this.discard() }, "Discard the draft");
      this.root.append(
        el("label", { for: id }, "Caption"),
        this.field,
        el("div", { class: "row" }, this.saving, this.discarding, this.length, this.about),
      );
    } else {
      this.words = el("p", { class: "caption-words" });
      this.root.append(this.words, this.about);
    }
    this.root.append(this.status, this.merge);
    element.append(this.root);
  }

  // --- Showing ---

  async fetch() {
    const { index } = this;
    this.render();
    this.say("Loading …");
    try {
      const caption = await this.remote.read(index);
      if (index === this.index) this.take(caption);
    } catch (failure) {
      if (index === this.index) this.say(`${failure.message} The caption could not be loaded; reload the page.`, "error");
    }
  }

  take(caption) {
    this.caption = caption;
    const draft = this.drafts.get(this.index);
    if (draft?.text === caption.text && this.outbox.state(this.index)?.kind !== "sending") this.drafts.drop(this.index);
    this.render();
    this.tellDrafts();
  }

  /** Everything that is shown, from the caption, its draft and the state of its save. */
  render() {
    const { caption, index } = this;
    const draft = this.canEdit ? this.drafts.get(index) : null;
    const text = draft?.text ?? caption?.text ?? "";
    if (this.canEdit) {
      if (this.field.value !== text) this.field.value = text;
      this.field.readOnly = !caption;
    } else {
      this.words.textContent = text;
    }
    this.about.replaceChildren(...aboutNodes(caption));
    this.renderState(draft);
    this.renderMerge();
  }

  renderState(draft) {
    if (!this.caption) return;
    const state = this.outbox.state(this.index);
    const over = draft && draft.base !== this.caption.version;
    const words = {
      sending: "Saving …",
      waiting: `Not saved yet. ${state?.message} It is tried again by itself; the text is kept here.`,
      "signed-out": `Not saved yet. ${state?.message} The text is kept here and saved once you are signed in.`,
      refused: `Not saved. ${state?.message}`,
      conflict: "",
    };
    let said = draft ? "A draft, not saved. It is kept in this browser." : "";
    if (over) said += " The caption was changed since you began: saving will show both texts.";
    this.say(state ? words[state.kind] : said, { refused: "error", waiting: "warning", "signed-out": "warning" }[state?.kind]);
    if (!this.canEdit) return;
    this.saving.setAttribute("aria-disabled", String(state?.kind === "sending"));
    this.discarding.hidden = !draft || state?.kind === "sending";
    this.renderLength();
    if (state?.kind === "signed-out") showSignedOut(true);
  }

  renderLength() {
    const length = [...this.field.value].length;
    this.length.textContent = length > MOST * 0.8 ? `${length} of at most ${MOST} characters` : "";
  }

  renderMerge() {
    const conflict = this.outbox.state(this.index)?.conflict ?? null;
    if (conflict === this.conflict && this.merge.childElementCount === (conflict ? 1 : 0)) return;
    this.conflict = conflict;
    if (!conflict) {
      this.merge.replaceChildren();
      return;
    }
    const view = mergeView({
      conflict,
      onKeepMine: () => this.outbox.submit(this.index),
      onTakeTheirs: () => this.takeTheirs(conflict.current),
      onEdit: () => this.focus(),
    });
    const within = this.root.contains(document.activeElement);
    this.merge.replaceChildren(view);
    if (within) view.focus();
  }

  say(words, tone = "") {
    this.status.textContent = words;
    this.status.className = `caption-status small ${tone ? `message ${tone}` : "soft"}`;
  }

  // --- What happens ---

  typed() {
    if (!this.caption) return;
    this.touched.add(this.index);
    if (this.field.value === this.caption.text && !this.outbox.state(this.index)) this.drafts.drop(this.index);
    else this.outbox.write(this.index, this.field.value, this.caption.version);
    this.renderState(this.drafts.get(this.index));
    this.tellDrafts();
  }

  pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      this.save();
    } else if (event.key === "Escape" && !event.isComposing) {
      event.preventDefault();
      event.stopPropagation();
      this.field.blur();
      this.told.onClose?.();
    }
  }

  discard() {
    this.outbox.discard(this.index);
    this.field.focus();
  }

  takeTheirs(current) {
    const theirs = { ...current, index: this.index };
    this.outbox.discard(this.index);
    this.take(theirs);
    this.told.onSaved?.(theirs);
    this.field.focus();
  }

  saved(caption) {
    showSignedOut(false);
    if (caption.index === this.index) {
      const within = this.merge.contains(document.activeElement);
      this.take(caption);
      if (!this.drafts.get(this.index)) this.say(`Saved as version ${caption.version}.`);
      if (within) this.field.focus();
    }
    this.tellDrafts();
    this.told.onSaved?.(caption);
  }

  changed(index) {
    if (index === this.index) this.render();
    this.tellDrafts();
  }

  tellDrafts() {
    this.told.onDrafts?.(this.unsaved());
  }

  /** Whether something written on this page would be left behind. */
  leaving() {
    const kept = new Set(this.unsaved());
    return [...this.touched].some((index) => kept.has(index)) || this.outbox.unanswered().length > 0;
  }
}

function showSignedOut(yes) {
  const banner = document.getElementById("signed-out");
  if (banner) banner.hidden = !yes;
}

function aboutNodes(caption) {
  if (!caption) return [];
  if (!caption.version) return ["No caption yet."];
  return [`Version ${caption.version}, by ${writer(caption)}, `, when(caption.at)];
}
