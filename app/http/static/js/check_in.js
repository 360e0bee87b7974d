// Stores a signature that finds no network and sends it later, once. Without this script the browser sends the form.
const KEY = "sceau-presence";
const outbox = document.querySelector("[data-outbox]");
const HOUR = 3600000;
let shownAt = Date.now();
let pause = 2000;
let timer = 0;
let isSending = false;

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function store(entries) {
  try {
    entries.length ? localStorage.setItem(KEY, JSON.stringify(entries)) : localStorage.removeItem(KEY);
  } catch {
    // No storage: the page itself still holds the entry, and sends it as long as it is open.
  }
  held = entries;
  const [first] = entries;
  outbox.querySelector("[data-kept]").hidden = !first;
  document.querySelectorAll("form[data-keeps]").forEach((form) => (form.hidden = Boolean(first)));
  if (first) {
    const until = new Date(first.pressed + outbox.dataset.hours * HOUR);
    outbox.querySelector("[data-until]").textContent = until.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  }
}
let held = stored();

function showSending(yes) {
  outbox.querySelector("[data-sending]").hidden = !yes;
  document.querySelectorAll("form[data-keeps] button").forEach((button) => button.toggleAttribute("aria-disabled", yes));
}

async function show(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  if (!main) return location.reload();
  document.title = page.title;
  document.querySelector("main").replaceWith(document.adoptNode(main));
  shownAt = Date.now();
  scrollTo(0, 0);
  document.querySelector("main").focus();
}

// The form's token belongs to a session that may have ended meanwhile.
async function freshToken() {
  const page = new DOMParser().parseFromString(await (await fetch("/presence")).text(), "text/html");
  return page.querySelector("[name=jeton]").value;
}

async function post(entry) {
  const body = new URLSearchParams(entry.fields);
  const options = { method: "POST", body, signal: AbortSignal.timeout?.(20000) };
  let answer = await fetch("/presence", options);
  if (answer.status === 403) {
    body.set("jeton", await freshToken());
    answer = await fetch("/presence", { ...options, signal: AbortSignal.timeout?.(20000) });
  }
  if (answer.status >= 500 || answer.status === 429) throw new Error(`status ${answer.status}`);
  return answer;
}

async function send() {
  clearTimeout(timer);
  if (isSending || !held.length) return;
  const now = Date.now();
  const alive = held.filter((entry) => now - entry.pressed < outbox.dataset.hours * HOUR);
  if (alive.length < held.length) {
    outbox.querySelector("[data-expired]").hidden = false;
    store(alive);
  }
  if (!alive.length) return;
  isSending = true;
  showSending(true);
  try {
    const answer = await post(alive[0]);
    store(alive.slice(1));
    await show(answer);
    pause = 2000;
    if (held.length) timer = setTimeout(send);
  } catch {
    store(alive);
    timer = setTimeout(send, pause * (0.75 + Math.random() / 2));
    pause = Math.min(pause * 2, 60000);
  } finally {
    isSending = false;
    showSending(false);
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-keeps]")) return;
  event.preventDefault();
  if (isSending) return;
  const pressed = Date.now();
  const fields = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
  if (event.submitter?.name) fields.push([event.submitter.name, event.submitter.value]);
  fields.push(["ecoule", String(Number(form.dataset.age) + Math.round((pressed - shownAt) / 1000))]);
  // Not stored before it failed once: on a good network nothing stays on the phone.
  held = [...held, { pressed, fields }];
  pause = 2000;
  send();
});
outbox.querySelector("[data-send]").addEventListener("click", send);
outbox.querySelector("[data-drop]").addEventListener("click", () => {
  clearTimeout(timer);
  store([]);
});
addEventListener("online", send);
if (held.length) {
  store(held);
  send();
}
// Only over https or on this machine; elsewhere the open page alone stores and sends. The short address shows the same
// page, which then opens again without a network.
if (navigator.serviceWorker) {
  navigator.serviceWorker.register("/presence/hors-ligne.js", { scope: "/presence" }).catch(() => {});
  if (location.pathname.startsWith("/s/")) history.replaceState(null, "", location.pathname.replace("/s/", "/presence/"));
}
