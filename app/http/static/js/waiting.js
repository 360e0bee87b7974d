// Loads the page again once the request has its answer. Without this script the page loads itself again.
const { waiting } = document.querySelector("[data-waiting]").dataset;
async function ask() {
  const answer = await fetch(waiting).catch(() => null);
  if (answer?.ok && (await answer.text()) !== "waiting") return location.reload();
  setTimeout(ask, answer?.ok ? 3000 : 20000);
}
setTimeout(ask, 3000);
