// A file may be dropped anywhere on the page, and is checked at once. The page works without.

const file = document.querySelector("#file");
const page = document.documentElement;

addEventListener("dragover", (event) => {
  event.preventDefault();
  page.classList.add("over");
});
addEventListener("dragleave", (event) => event.relatedTarget || page.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  page.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  file.files = event.dataTransfer.files;
  file.form.requestSubmit();
});
