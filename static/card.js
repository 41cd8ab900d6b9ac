// What a browser can do better with a script: share the contact itself, say what is open today, open without a network.

import { listen, teller, whenSeen } from "./tell.js";

const card = document.querySelector(".card");
const address = document.querySelector("link[rel=canonical]").href;
const here = new URL(location.href);

// How the visitor came here is theirs: whoever copies the address shall not hand it on.
const tell = teller(card.dataset.beacon, new URLSearchParams(here.search));
for (const tag of ["s", "r", "left"]) here.searchParams.delete(tag);
history.replaceState(null, "", here);

whenSeen(() => tell("view"));
listen(card, tell);

const share = document.querySelector("[data-share]");
share.addEventListener("click", async (event) => {
  event.preventDefault();
  try {
    if (navigator.share) return await navigator.share(await withContact());
  } catch (failure) {
    // Whoever closes the sheet wants nothing more; else the tap was too long ago for the system.
    if (failure.name === "AbortError") return;
  }
  await navigator.clipboard.writeText(address).then(sayCopied, () => location.assign(share.href));
});

// The .vcf beside the link, where the system takes files.
async function withContact() {
  const link = { title: document.title, url: address };
  if (!navigator.canShare) return link;
  const answer = await fetch(share.dataset.share).catch(() => null);
  if (!answer?.ok) return link;
  const file = new File([await answer.blob()], "contact.vcf", { type: "text/vcard" });
  return navigator.canShare({ ...link, files: [file] }) ? { ...link, files: [file] } : link;
}

function sayCopied() {
  const label = share.querySelector("span");
  const before = label.textContent;
  label.setAttribute("role", "status");
  label.textContent = share.dataset.done;
  setTimeout(() => (label.textContent = before), 2500);
}

const hours = document.querySelector(".hours");
if (hours) {
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const today = new Intl.DateTimeFormat("en", { weekday: "short", timeZone: hours.dataset.zone }).format(new Date());
  const row = hours.querySelector(`[data-day="${days.indexOf(today) + 1}"]`);
  row.setAttribute("aria-current", "date");
  hours.querySelector(".today").textContent = row.querySelector("dd").textContent;
}

// Once opened, the card opens without a network too.
if ("serviceWorker" in navigator) {
  const scope = new URL(address).pathname;
  const shown = [...document.querySelectorAll("img, script[src]")].map((each) => each.src);
  navigator.serviceWorker.register(card.dataset.worker, { scope }).then(async () => {
    const ready = await navigator.serviceWorker.ready;
    ready.active.postMessage({ page: here.href, parts: [share.dataset.share, ...shown] });
  }, () => {});
}
