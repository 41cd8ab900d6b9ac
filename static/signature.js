// Copies the signature with its looks, and as text beside them.

const button = document.querySelector("[data-copy]");
const html = document.querySelector("#html").value;
const text = document.querySelector("pre").textContent;

// By the event: what is handed to navigator.clipboard.write loses its styles to the policy of this page.
document.addEventListener("copy", (event) => {
  if (document.activeElement !== button) return;
  event.clipboardData.setData("text/html", html);
  event.clipboardData.setData("text/plain", text);
  event.preventDefault();
});

button.addEventListener("click", () => {
  button.focus();
  if (!document.execCommand("copy")) return;
  const label = button.querySelector("span");
  label.setAttribute("role", "status");
  label.textContent = button.dataset.done;
});
