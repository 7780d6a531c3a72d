// Has the preview drawn anew when an answer changes that it depends on. Without this the button Preview does the same.

const form = document.getElementById("build-form");

form?.addEventListener("change", (event) => {
  const preview = document.getElementById("preview");
  if (preview.dataset.live.split(" ").includes(event.target.name)) preview.dispatchEvent(new Event("redraw"));
});
