// What a browser can do better with a script: share, copy, print with everything unfolded. The page works without.

const share = document.querySelector("[data-share]");
const address = document.querySelector("link[rel=canonical]").href;

share.addEventListener("click", async (event) => {
  event.preventDefault();
  if (navigator.share) {
    await navigator.share({ title: document.title, url: address }).catch(() => {});
    return;
  }
  await navigator.clipboard.writeText(address).then(sayCopied, () => location.assign(share.href));
});

function sayCopied() {
  const label = share.querySelector("span");
  const before = label.textContent;
  label.setAttribute("role", "status");
  label.textContent = share.dataset.done;
  setTimeout(() => (label.textContent = before), 2500);
}

document.querySelector("[data-print]").addEventListener("click", () => print());

const scratch = document.querySelector(".scratch");
if (scratch) {
  const watch = new IntersectionObserver(([seen]) => {
    if (!seen.isIntersecting) return;
    watch.disconnect();
    import("./scratch.js");
  }, { rootMargin: "50%" });
  watch.observe(scratch);
}

if (document.querySelector(".survey")) import("./survey.js");

if (document.querySelector(".offers")) import("./offers.js");

const served = document.querySelector(".served");
if (served) {
  const tell = import("./tell.js").then(({ teller }) => teller(served.dataset.beacon, new URLSearchParams(served.dataset.tags)));
  // Listens at once: somebody may tap before the rest is there.
  served.addEventListener("click", async (event) => {
    const tapped = event.target.closest("[data-act]");
    if (tapped) (await tell)(tapped.dataset.act, tapped.dataset.target);
  });
}

let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const each of folded) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of folded) each.open = false;
});
