// Opens the check-in without a network: answers with one page without names, and sends what this phone stored.
// `EDITION` is written before this text by the server.
const SHELL = "/presence/hors-ligne";
const CACHE = `presence-${EDITION}`;
const PARTS = /(?:href|src)="(\/(?:static|couleurs)\/[^"]+)"/g;

async function fill() {
  const cache = await caches.open(CACHE);
  const answer = await fetch(SHELL);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const text = await answer.clone().text();
  await cache.addAll(new Set([...text.matchAll(PARTS)].map(([, address]) => address)));
  await cache.put(SHELL, answer);
}

async function leaveOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("presence-") && name !== CACHE).map((name) => caches.delete(name)));
  await clients.claim();
}

async function stored(address) {
  return (await caches.match(address, { ignoreVary: true })) ?? Response.error();
}

addEventListener("install", (event) => event.waitUntil(fill().then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(leaveOthers()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => stored(SHELL)));
  else if (/^\/(static|couleurs)\//.test(pathname)) event.respondWith(fetch(request).catch(() => stored(request.url)));
});
