// Another row is offered as soon as the last one of a list is written in.

document.querySelector("form").addEventListener("input", ({ target }) => {
  const row = target.closest(".cells");
  const field = target.name.match(/^(\w+)\.(\d+)\./);
  if (!field || row.nextElementSibling) return;
  const next = row.cloneNode(true);
  for (const each of next.querySelectorAll(".wrong")) each.remove();
  for (const each of next.querySelectorAll("[name]")) {
    each.name = each.id = each.name.replace(/\.\d+\./, `.${+field[2] + 1}.`);
    each.removeAttribute("aria-invalid");
    each.removeAttribute("aria-describedby");
    if (each.tagName !== "SELECT") each.value = "";
  }
  for (const each of next.querySelectorAll("label")) each.htmlFor = each.htmlFor.replace(/\.\d+\./, `.${+field[2] + 1}.`);
  row.after(next);
});
