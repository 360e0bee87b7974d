// The progress of a bulk award, sent by the server as it happens. Without this script the page loads itself again.
const shown = document.querySelector("[data-progress]");
const source = new EventSource(shown.dataset.progress);
source.addEventListener("pas", (event) => {
  const step = JSON.parse(event.data);
  const bar = shown.querySelector("progress");
  bar.max = step.total;
  bar.value = step.done;
  shown.querySelector("[data-heading]").textContent = step.heading;
});
source.addEventListener("fin", () => {
  source.close();
  location.reload();
});
