// Has parts of the page made anew when an answer changes that they depend on: the preview, the questions to a preset.
// Without this the button Preview does the one, and the server takes over a preset's answers when the form is sent.

document.getElementById("build-form")?.addEventListener("change", (event) => {
  for (const part of document.querySelectorAll("[data-redraw]")) {
    if (part.dataset.redraw.split(" ").includes(event.target.name)) part.dispatchEvent(new Event("redraw"));
  }
});
