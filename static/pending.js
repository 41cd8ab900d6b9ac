// Asks now and then whether the receipt has come, less often the longer it takes, and only while somebody looks.

const ready = document.querySelector("[data-ready]").dataset.ready;
let wait = 2000;

async function ask() {
  if (!document.hidden) {
    const answer = await fetch(ready, { cache: "no-store" }).catch(() => null);
    if (answer?.status === 200) return location.reload();
    wait = Math.min(wait * 1.3, 30000);
  }
  setTimeout(ask, wait);
}

document.addEventListener("visibilitychange", () => (wait = 2000));
setTimeout(ask, wait);
