// Has parts of the page made anew when an answer changes that they depend on: the preview, the questions to a preset.
// Without this the button Preview does the one, and the server takes over a preset's answers when the form is sent.

const DELAY = 300;
const form = document.getElementById("build-form");
let waiting = [];

function redraw() {
  for (const id of waiting) document.querySelector(`[data-redraw="${id}"]`)?.dispatchEvent(new Event("redraw"));
  waiting = [];
}

let timer = 0;
form?.addEventListener("change", (event) => {
  for (const { dataset } of document.querySelectorAll("[data-redraw]")) {
    if (dataset.redraw.split(" ").includes(event.target.name)) waiting.push(dataset.redraw);
  }
  clearTimeout(timer);
  timer = setTimeout(redraw, DELAY);
});

// Who leaves a field by pressing Preview has asked for more than a drawing: that must not take its place.
form?.addEventListener("click", (event) => {
  if (event.target.value === "preview") waiting = [];
});
