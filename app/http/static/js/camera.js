// Reads the QR code of a badge with the camera, or out of a photo, where the browser can: nothing leaves it but the address read.
// Without this script, and in browsers that read no codes, the address is typed and the page says so.
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

async function look(detector, video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  const stop = () => stream.getTracks().forEach((each) => each.stop());
  addEventListener("pagehide", stop, { once: true });
  const step = async () => {
    if (!stream.active) return;
    const [code] = await detector.detect(video).catch(() => []);
    if (code) {
      stop();
      found(code);
    } else {
      setTimeout(step, 200);
    }
  };
  step();
}

async function begin() {
  const kinds = "BarcodeDetector" in window ? await BarcodeDetector.getSupportedFormats() : [];
  // What the page says already is true then.
  if (!kinds.includes("qr_code")) return;
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

if (part) begin();
