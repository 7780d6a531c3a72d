// Of the options of all layouts those of the chosen one are shown. Without this module all of them are, under the
// layouts' names; the server reads the chosen layout's only.

const form = document.querySelector("[data-layouts]");
const layout = form.querySelector("select[name=layout]");

function show() {
  for (const group of form.querySelectorAll("[data-layout]")) {
    // Disabled too: a number that cannot be, where nobody sees it, would keep the form from being sent.
    group.hidden = group.disabled = group.dataset.layout !== layout.value;
  }
}

form.classList.add("one-layout");
layout.addEventListener("change", show);
// A browser that goes back restores what was chosen; before the dry run is asked for on that occasion.
addEventListener("pageshow", show, { capture: true });
show();
