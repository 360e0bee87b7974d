// Keeps one part of the page as the server has it now. Without this script the page is loaded again instead.
const part = () => document.querySelector("[data-live]");
const source = new EventSource(part().dataset.live);
let last = Promise.resolve();
async function renew(version) {
  if (part().dataset.version === version) return;
  const answer = await fetch(location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-live]");
  if (!answer.ok || !fresh) return location.reload();
  const focused = document.activeElement?.id;
  part().replaceWith(document.adoptNode(fresh));
  if (focused) document.getElementById(focused)?.focus();
}
source.addEventListener("change", (event) => {
  // One after the other, and an outage of the network is no end: the next word comes with the next change.
  last = last.then(() => renew(event.data)).catch(() => {});
});
// Closed for good: the server refused. Where that is because whoever looked on is signed out or works here no more,
// the page says so and shows nothing any longer.
source.addEventListener("error", async () => {
  if (source.readyState !== EventSource.CLOSED) return;
  const answer = await fetch(location.href).catch(() => null);
  if (answer && [401, 403, 404].includes(answer.status)) location.reload();
});
