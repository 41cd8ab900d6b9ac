// Counts offers: seen by somebody who looks at them, tapped. The request for the page counts nothing.

import { whenSeen } from "./tell.js";

const tell = (act, marks) => navigator.sendBeacon("/o/beacon", JSON.stringify({ a: act, o: marks }));

// Those that are seen at about the same time are told together.
const TOGETHER = 300; // milliseconds
const seenNow = [];

const inSight = new Map(); // with what calls their being seen off
const watch = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      inSight.get(target)?.();
      if (isIntersecting) inSight.set(target, whenSeen(() => seen(target)));
    }
  },
  { threshold: 0.6 },
);

function seen(offer) {
  watch.unobserve(offer);
  if (!seenNow.length) setTimeout(() => tell("view", seenNow.splice(0)), TOGETHER);
  seenNow.push(offer.dataset.offer);
}

for (const offer of document.querySelectorAll("[data-offer]")) {
  watch.observe(offer);
  for (const kind of ["click", "auxclick"]) {
    offer.addEventListener(kind, (event) => {
      if (event.button < 2 && event.target.closest("a")) tell("tap", [offer.dataset.offer]);
    });
  }
}
