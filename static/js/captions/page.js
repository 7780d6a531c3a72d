// The page of one caption: editor, history, and keys to walk through the area.

import { Keymap } from "../lib/keymap.js";
import { Keys } from "../lib/keys.js";
import { KeysDialog } from "../lib/keysdialog.js";
import { Preferences } from "../lib/preferences.js";
import { mountCaption } from "./editor.js";
import { mountHistory } from "./history.js";

const data = JSON.parse(document.getElementById("caption-page").textContent);
const { area, index, caption, can_edit: canEdit, person } = data;
const drafts = document.getElementById("other-drafts");

const editor = mountCaption(document.getElementById("caption-editor"), {
  area,
  index,
  caption,
  canEdit,
  person,
  onSaved: (saved) => saved.index === index && history.reload(),
  onDrafts: (indexes) => showOthers(indexes.filter((other) => other !== index)),
});
const history = mountHistory(document.getElementById("caption-history"), {
  area,
  index,
  person,
  canRestore: canEdit,
  mayRestore: () => (editor.unsaved().includes(index) ? "Save or discard your draft first, then restore." : ""),
  onRestored: (restored) => editor.refresh(restored),
});

function showOthers(others) {
  if (!drafts) return;
  drafts.hidden = others.length === 0;
  const links = others.slice(0, 20).map((other) => {
    const link = document.createElement("a");
    link.href = data.address.replace("/0/", `/${other}/`);
    link.textContent = `tile_${other}`;
    return link;
  });
  drafts.replaceChildren("Drafts in this browser, not saved: ", ...links.flatMap((link) => [link, " "]));
}

const keys = new Keys();
const preferences = new Preferences({ values: data.preferences, url: data.preferences_url, person });
const keymap = new Keymap(document.querySelector("main"), { page: "rectify", preferences });
const list = new KeysDialog(document.getElementById("keys"), keys, keymap);
const does = {
  previous: () => document.getElementById("previous-tile")?.click(),
  next: () => document.getElementById("next-tile")?.click(),
  edit: () => editor.focus(),
  help: () => list.open(),
};
for (const button of document.querySelectorAll("button[data-action]")) {
  button.addEventListener("click", () => keys.run(does[button.dataset.action]));
}
keys.follow(keymap, does);
