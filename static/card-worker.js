// Keeps one card for when there is no network. The network goes first; a card that is gone is forgotten here too.

const scope = new URL(registration.scope).pathname;
const store = `card ${scope}`;
const patience = 4000; // milliseconds until what is kept is shown instead

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", (event) => event.waitUntil(keep(event.data)));
addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});

async function keep(addresses) {
  const cache = await caches.open(store);
  await Promise.all(addresses.map((each) => cache.add(each).catch(() => {})));
}

async function answer(request) {
  const kept = await caches.match(request, { cacheName: store, ignoreSearch: true, ignoreVary: true });
  try {
    const fresh = await fetch(request, kept ? { signal: AbortSignal.timeout(patience) } : undefined);
    if (request.mode === "navigate") await remember(request, fresh);
    return fresh;
  } catch (failure) {
    if (kept) return kept;
    throw failure;
  }
}

// Paused and revoked cards answer 404 and 410.
async function remember(request, fresh) {
  if (fresh.status === 404 || fresh.status === 410) {
    await caches.delete(store);
    await registration.unregister();
  } else if (fresh.ok) {
    const cache = await caches.open(store);
    await cache.delete(request, { ignoreSearch: true });
    const { pathname, searchParams } = new URL(request.url);
    const language = searchParams.get("lang");
    await cache.put(pathname + (language ? `?lang=${language}` : ""), fresh.clone());
  }
}
