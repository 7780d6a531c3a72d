// Every revision of a caption, newest first, with what its author changed; any of them can be restored.

import { uuid } from "../lib/ids.js";
import { el } from "../lib/dom.js";
import { diffNodes, when, writer } from "./dom.js";
import { connect } from "./remote.js";

/**
 * mountHistory(element, { area, index, person, canRestore, mayRestore, onRestored }); reload() shows what is new.
 * mayRestore(): a sentence why not now, or "".
 */
export function mountHistory(element, options) {
  return new History(element, options);
}

class History {
  constructor(element, { area, index, person, canRestore, mayRestore, onRestored }) {
    this.index = index;
    this.canRestore = canRestore;
    this.told = { mayRestore, onRestored };
    this.remote = connect({ area, person });
    this.ids = new Map(); // one id for each thing that is restored, however often it is tried
    this.newest = 0;
    this.list = el("ol", { class: "caption-history" });
    this.status = el("p", { class: "small", role: "status" });
    this.more = el("button", { type: "button", hidden: true, onclick: () => this.load(this.next) }, "Older revisions");
    element.append(this.status, this.list, this.more);
    this.reload();
  }

  reload() {
    return this.load(null);
  }

  async load(below) {
    try {
      const { revisions, next } = await this.remote.history(this.index, below);
      if (!below) {
        this.list.replaceChildren();
        this.newest = revisions[0]?.number ?? 0;
      }
      this.list.append(...revisions.map((revision) => this.item(revision)));
      this.next = next;
      this.more.hidden = !next;
      this.status.textContent = this.newest ? "" : "No caption was ever written.";
    } catch (failure) {
      this.status.textContent = `${failure.message} The history could not be loaded; reload the page.`;
    }
  }

  item(revision) {
    const { number, at, restores, diff } = revision;
    const current = number === this.newest;
    const head = el(
      "div",
      { class: "row small" },
      el("strong", {}, `Version ${number}`),
      el("span", { class: "soft" }, `by ${writer(revision)}, `, when(at)),
      restores ? el("span", { class: "soft" }, `the words of version ${restores}`) : null,
      current ? el("span", { class: "tag" }, "now") : null,
    );
    if (this.canRestore && !current) {
      const label = `Restore version ${number}`;
      head.append(el("button", { type: "button", class: "link", "aria-label": label, onclick: () => this.restore(number) }, "Restore"));
    }
    const words = number === 1 ? [revision.text] : diffNodes(diff);
    return el("li", {}, head, el("p", { class: "caption-words" }, ...words));
  }

  async restore(number) {
    const why = this.told.mayRestore?.();
    if (why) {
      this.status.textContent = why;
      return;
    }
    const what = `${number} over ${this.newest}`;
    if (!this.ids.has(what)) this.ids.set(what, uuid());
    const body = { number, base_version: this.newest, client_id: this.ids.get(what) };
    try {
      const caption = await this.remote.restore(this.index, body);
      await this.reload();
      this.status.textContent = `Version ${number} is restored as version ${caption.version}.`;
      this.told.onRestored?.(caption);
    } catch (failure) {
      if (failure.code === "stale") {
        await this.reload();
        this.told.onRestored?.({ ...failure.data.current, index: this.index });
        this.status.textContent = "Somebody saved meanwhile: nothing was restored. Look at the newest version first.";
      } else {
        this.status.textContent = `${failure.message} Nothing was restored; try again.`;
      }
    }
  }
}
