// A draft saves itself while somebody types, and its picture is drawn again. Without this script buttons do both.
const form = document.querySelector("form[data-preview]");
const place = document.getElementById("apercu-contenu");
const status = document.getElementById("apercu-dit");
const PAUSE = 800;
let waiting = 0;
let asking = null;
let shown = "";

function typed() {
  const fields = new FormData(form);
  fields.delete("etat");
  fields.delete("avant");
  return [...fields].filter(([, value]) => typeof value === "string");
}

function before() {
  return ["etat", "avant"].map((name) => [name, form.elements[name]?.value ?? ""]);
}

async function draw() {
  const fields = typed();
  const text = JSON.stringify(fields);
  if (text === shown) {
    return;
  }
  const state = form.elements.etat;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams([...fields, ...before(), ["geste", "seul"]]),
      credentials: "same-origin",
    });
    if (!answer.ok) {
      throw new Error(String(answer.status));
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.querySelector("[data-state]");
    place.replaceChildren(...part.childNodes);
    if (state) {
      state.value = part.dataset.state;
      form.elements.avant.value = part.dataset.base;
      form.elements.autres.value = part.dataset.others;
    }
    shown = text;
    status.textContent = part.dataset.said;
  } catch {
    status.textContent = status.dataset.failed;
  }
}

// One at a time: the state that an answer brings is the one that the next request sends.
async function drawAlone() {
  if (asking) {
    await asking;
  }
  asking = draw();
  await asking;
  asking = null;
}

if (form && place && status) {
  shown = JSON.stringify(typed());
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (event.target.type === "file") {
      // Saved at once where that publishes nothing: the page then says how the file will be seen.
      const save = form.querySelector("button[value=garder]");
      if (event.target.files.length && save === form.querySelector("button")) {
        form.requestSubmit(save);
      }
      return;
    }
    waiting = setTimeout(drawAlone, PAUSE);
  });
  form.addEventListener("submit", async (event) => {
    clearTimeout(waiting);
    if (asking) {
      event.preventDefault();
      await asking;
      form.requestSubmit(event.submitter);
    }
  });
}
