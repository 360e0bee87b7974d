// Reads the QR code of a badge with the camera, or out of a photo. Where the browser reads codes, nothing leaves it but the
// address read; elsewhere (Firefox, Safari) one picture is sent with the form, like a deposited file, when its button is pressed.
// Without this script the address is typed, and the page says so.
const part = document.querySelector("[data-camera]");
const told = part?.querySelector("[role=status]");
const form = part?.closest("form");

function say(words) {
  told.textContent = part.dataset[words];
}

function found(code) {
  const field = form.querySelector("[name=lien]");
  field.value = code.rawValue.slice(0, 2000);
  // The code alone goes: not a file that was chosen for something else.
  form.querySelectorAll("input[type=file]").forEach((each) => (each.value = ""));
  form.requestSubmit();
}

async function film(video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  addEventListener("pagehide", () => stop(stream), { once: true });
  return stream;
}

function stop(stream) {
  stream.getTracks().forEach((each) => each.stop());
}

async function send(stream, video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const body = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  stop(stream);
  const files = new DataTransfer();
  files.items.add(new File([body], "code.jpg", { type: "image/jpeg" }));
  form.querySelectorAll("[name=lien], [name=texte]").forEach((each) => (each.value = ""));
  form.querySelector("input[type=file][name]").files = files.files;
  form.requestSubmit();
}

async function look(detector, video) {
  const stream = await film(video);
  const step = async () => {
    if (!stream.active) return;
    const [code] = await detector.detect(video).catch(() => []);
    if (code) {
      stop(stream);
      found(code);
    } else {
      setTimeout(step, 200);
    }
  };
  step();
}

async function begin() {
  const kinds = "BarcodeDetector" in window ? await BarcodeDetector.getSupportedFormats() : [];
  if (!kinds.includes("qr_code")) {
    // What the page says already is true without a camera.
    if (navigator.mediaDevices?.getUserMedia) beginSending();
    return;
  }
  told.textContent = "";
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const [button, photo, video] = ["button", "input", "video"].map((each) => part.querySelector(each));
  part.querySelector("[data-able]").hidden = false;
  button.hidden = !navigator.mediaDevices?.getUserMedia;
  button.addEventListener("click", () => {
    say("looking");
    look(detector, video).catch(() => say("refused"));
  });
  photo.addEventListener("change", async () => {
    const [code] = await createImageBitmap(photo.files[0]).then((image) => detector.detect(image)).catch(() => []);
    photo.value = "";
    code ? found(code) : say("nothing");
  });
}

function beginSending() {
  const [aim, take] = part.querySelectorAll("[data-sending] button");
  const video = part.querySelector("video");
  part.querySelector("[data-sending]").hidden = false;
  told.textContent = part.dataset.sends;
  let stream;
  aim.addEventListener("click", async () => {
    try {
      stream = await film(video);
    } catch {
      say("refused");
      return;
    }
    say("frame");
    aim.hidden = true;
    take.hidden = false;
    take.focus();
  });
  take.addEventListener("click", () => send(stream, video));
}

if (part) begin();
