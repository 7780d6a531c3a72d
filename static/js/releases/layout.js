// Of the options of all layouts those of the chosen one are shown. Without this module all of them are, under the
// layouts' names; the server reads the chosen layout's only.

const form = document.querySelector("[data-layouts]");
const layout = form.querySelector("select[name=layout]");

function show(event) {
  for (const group of form.querySelectorAll("[data-layout]")) {
    group.hidden = group.dataset.layout !== layout.value;
    // A number that cannot be, where nobody sees it, would keep the form from being sent. But not yet while the page
    // loads: a browser that goes back restores no field that is disabled.
    if (event) group.disabled = group.hidden;
  }
}

form.classList.add("one-layout");
layout.addEventListener("change", show);
addEventListener("pageshow", show, { capture: true }); // before the dry run is asked for on that occasion
show();
