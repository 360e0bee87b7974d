// The keyboard of somebody who hands badges over in public. Without this script the links of the page do the same.
const KEYS = { ArrowRight: "[rel=next]", PageDown: "[rel=next]", " ": "[rel=next]", ArrowLeft: "[rel=prev]", PageUp: "[rel=prev]", Escape: "[data-leave]" };
document.addEventListener("keydown", (event) => {
  const link = KEYS[event.key] && document.querySelector(KEYS[event.key]);
  if (link && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    link.click();
  }
});
