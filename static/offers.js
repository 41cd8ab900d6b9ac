// Counts offers: seen by somebody who looks at them, tapped. The request for the page counts nothing.

const SEEN = 1000; // milliseconds on a visible page
const tell = (act, marks) => navigator.sendBeacon("/o/beacon", JSON.stringify({ a: act, o: marks }));

// Those that are seen at about the same time are told together.
const TOGETHER = 300; // milliseconds
const seenNow = [];

const waiting = new Map();
const watch = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(waiting.get(target));
      if (isIntersecting && !document.hidden) waiting.set(target, setTimeout(() => seen(target), SEEN));
    }
  },
  { threshold: 0.6 },
);

function seen(offer) {
  if (document.hidden) return;
  watch.unobserve(offer);
  offer.dataset.seen = "1";
  if (!seenNow.length) setTimeout(() => tell("view", seenNow.splice(0)), TOGETHER);
  seenNow.push(offer.dataset.offer);
}

const offers = document.querySelectorAll("[data-offer]");
const look = () => {
  for (const offer of offers) {
    watch.unobserve(offer);
    if (!offer.dataset.seen) watch.observe(offer);
  }
};
document.addEventListener("visibilitychange", look);
look();

for (const offer of offers) {
  for (const kind of ["click", "auxclick"]) {
    offer.addEventListener(kind, (event) => {
      if (event.button < 2 && event.target.closest("a")) tell("tap", [offer.dataset.offer]);
    });
  }
}
