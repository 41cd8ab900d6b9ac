// Keeps one card for when there is no network. The network goes first; a card that is gone is forgotten here too.

const scope = new URL(registration.scope).pathname;
const store = `card ${scope}`;
const patience = 4000; // milliseconds until what is kept is shown instead

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", (event) => event.waitUntil(keep(event.data)));
addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event));
});

// The page is kept as it was seen last, under the address of the card itself.
async function keep({ page, parts }) {
  const cache = await caches.open(store);
  const keepPage = fetch(page).then((fresh) => (fresh.ok ? cache.put(scope, fresh) : undefined));
  await Promise.all([keepPage, ...parts.map((each) => cache.add(each))].map((each) => each.catch(() => {})));
}

async function answer(event) {
  const kept = await caches.match(event.request, { cacheName: store, ignoreSearch: true, ignoreVary: true });
  const fresh = fetch(event.request).then((found) => {
    if (event.request.mode === "navigate" && new URL(event.request.url).pathname === scope) remember(event, found);
    return found;
  });
  if (!kept) return fresh;
  const later = new Promise((show) => setTimeout(show, patience, kept));
  return Promise.race([fresh.catch(() => kept), later]);
}

// Paused and revoked cards answer 404 and 410. A page that is cut off on its way is not put in the place of a whole one.
function remember(event, found) {
  if (found.status === 404 || found.status === 410) {
    event.waitUntil(Promise.all([caches.delete(store), registration.unregister()]));
  } else if (found.ok) {
    const copy = found.clone();
    event.waitUntil(caches.open(store).then((cache) => cache.put(scope, copy)).catch(() => {}));
  }
}
