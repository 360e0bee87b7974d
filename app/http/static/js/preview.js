// The preview of a form, drawn again by the server while somebody types. Without this script a button asks for it.
const form = document.querySelector("form[data-preview]");
const place = document.getElementById("apercu-contenu");
const told = document.getElementById("apercu-dit");
const PAUSE = 500;
let waiting = 0;
let asking = null;
let shown = "";

function typed() {
  const fields = new FormData(form);
  fields.delete("geste");
  return fields;
}

async function draw() {
  const fields = typed();
  const text = JSON.stringify([...fields]);
  if (text === shown) {
    return;
  }
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await fetch(form.dataset.preview, {
      method: "POST",
      body: new URLSearchParams(fields),
      signal: asking.signal,
      credentials: "same-origin",
    });
    if (!answer.ok) {
      throw new Error(String(answer.status));
    }
    place.innerHTML = await answer.text();
    shown = text;
    told.textContent = place.querySelector("[data-unread]") ? "" : told.dataset.said;
  } catch (error) {
    if (error.name !== "AbortError") {
      told.textContent = told.dataset.failed;
    }
  }
}

if (form && place && told) {
  shown = JSON.stringify([...typed()]);
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    told.textContent = "";
    waiting = setTimeout(draw, PAUSE);
  });
}
