// Passkeys: a form with data-passkey asks the browser for one before it is sent. Without this script, or where the
// browser knows no passkeys, such forms stay hidden and the other ways in are there.
const toBytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
const withIds = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: withIds(options.excludeCredentials),
    },
  });
  return described(made, {
    attestationObject: toText(made.response.attestationObject),
    transports: made.response.getTransports?.() || [],
  });
}

async function get(options) {
  const shown = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      allowCredentials: withIds(options.allowCredentials),
    },
  });
  const handle = shown.response.userHandle;
  return described(shown, {
    authenticatorData: toText(shown.response.authenticatorData),
    signature: toText(shown.response.signature),
    ...(handle && handle.byteLength ? { userHandle: toText(handle) } : {}),
  });
}

function described(credential, response) {
  return JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    clientExtensionResults: {},
    response: { ...response, clientDataJSON: toText(credential.response.clientDataJSON) },
  });
}

function reasonOf(error) {
  if (error.name === "NotAllowedError" || error.name === "AbortError") {
    return "cancelled";
  }
  return error.name === "InvalidStateError" ? "known" : "failed";
}

async function ask(form) {
  const outcome = form.querySelector("[data-outcome]");
  const button = form.querySelector("button");
  outcome.hidden = true;
  button.disabled = true;
  try {
    const asked = await fetch(form.dataset.question, {
      method: "POST",
      body: new URLSearchParams({ jeton: form.elements.jeton.value }),
      credentials: "same-origin",
    });
    // Signed out, signed in again in another tab, or too often: the server has a page that says so and leads on.
    if ([401, 403, 429].includes(asked.status)) {
      form.submit();
      return;
    }
    if (!asked.ok) {
      throw new Error(String(asked.status));
    }
    const options = await asked.json();
    form.elements.reponse.value = await (form.dataset.passkey === "create" ? create : get)(options);
    form.submit();
  } catch (error) {
    outcome.textContent = outcome.dataset[reasonOf(error)];
    outcome.hidden = false;
    button.disabled = false;
    button.focus();
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
  }
  for (const instead of document.querySelectorAll("[data-without-passkey]")) {
    instead.hidden = true;
  }
} else {
  document.querySelectorAll("[data-room]").forEach((form) => form.removeAttribute("data-room"));
}
