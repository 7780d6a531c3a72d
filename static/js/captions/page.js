// The page of one caption: editor, history, and keys to walk through the area.

import { Keys } from "../lib/keys.js";
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

function follow(id) {
  document.getElementById(id)?.click();
}

new Keys().open({
  ArrowLeft: () => follow("previous-tile"),
  ArrowRight: () => follow("next-tile"),
  e: () => editor.focus(),
});
