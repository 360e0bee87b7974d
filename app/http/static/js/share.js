// The sheet of the phone or computer itself, where the browser offers one; elsewhere the button stays hidden.
const part = document.querySelector("[data-share]");

if (part && navigator.share) {
  part.hidden = false;
  part.querySelector("button").addEventListener("click", () => {
    // Refused or closed by the person: nothing to say.
    navigator.share({ title: part.dataset.title, url: part.dataset.url }).catch(() => {});
  });
}
