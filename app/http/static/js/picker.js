// Results of a search in frameworks while a term is typed. Without this script a button searches.
const PAUSE = 180;
for (const field of document.querySelectorAll("input[data-picker]")) {
  let waiting = 0;
  let asked = "";
  async function search() {
    const text = field.value.trim();
    if (text.length < 3 || text === asked) return;
    asked = text;
    const address = new URL(field.dataset.picker, location.href);
    address.searchParams.set("q", text);
    const answer = await fetch(address, { credentials: "same-origin" }).catch(() => null);
    // A slower answer to an earlier term is dropped.
    if (!answer || !answer.ok || asked !== text) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-results]");
    const old = document.querySelector("[data-results]");
    if (fresh && old) old.replaceWith(document.adoptNode(fresh));
  }
  // Enter searches: it does not send the form around the field.
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !field.form || field.form.getAttribute("role") === "search") return;
    event.preventDefault();
    clearTimeout(waiting);
    search();
  });
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, PAUSE);
  });
}
