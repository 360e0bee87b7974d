// Reads the QR code of a badge with the camera, or out of a photo. It is read in the browser, and nothing leaves it but the
// address. A browser without a reader of its own (Firefox, Safari) loads the one in `qr/` at the first tap, and not before.
// Without this script, or without any reader, the address is typed, and the page says so.
const part = document.querySelector("[data-camera]");
const notice = part?.querySelector("[role=status]");
const form = part?.closest("form");
const sides = [1600, 4000];
let stream;

const say = (words) => (notice.textContent = part.dataset[words]);

async function readsAlone() {
  return "BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code");
}

async function reader() {
  const able = (await readsAlone()) ? window : await import(part.dataset.reader);
  return new able.BarcodeDetector({ formats: ["qr_code"] });
}

function found(code) {
  // The code alone goes: not a file, a text or an address that was there for something else.
  form.querySelectorAll("input[type=file], [name=texte], [name=lien]").forEach((each) => (each.value = ""));
  form.querySelector("[name=code]").value = code.rawValue.slice(0, 2000);
  form.requestSubmit();
}

function stop() {
  stream?.getTracks().forEach((each) => each.stop());
  stream = undefined;
}

async function film(video) {
  stop();
  const begun = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment", width: { ideal: 1280 } },
    audio: false,
  });
  stream = begun;
  video.srcObject = begun;
  video.hidden = false;
  await video.play();
  return begun;
}

async function look(detector, video) {
  const begun = await film(video);
  const step = async () => {
    if (!begun.active) return;
    const [code] = await detector.detect(video).catch(() => []);
    if (!begun.active) return;
    if (code) {
      stop();
      found(code);
    } else {
      setTimeout(step, 200);
    }
  };
  step();
}

// Small first: most codes fill the photo, and a telephone's twelve million points take long.
async function read(detector, file) {
  const whole = await createImageBitmap(file);
  const largest = Math.max(whole.width, whole.height);
  for (const side of sides) {
    const share = Math.min(1, side / largest);
    const seen = await createImageBitmap(whole, {
      resizeWidth: Math.max(1, Math.round(whole.width * share)),
      resizeHeight: Math.max(1, Math.round(whole.height * share)),
      resizeQuality: "high",
    });
    const [code] = await detector.detect(seen);
    if (code || share === 1) return code;
  }
}

// What stands between a tap and its answer is shown, whatever fails.
async function ready(then) {
  let detector;
  try {
    detector = await reader();
  } catch {
    say("unloaded");
    return;
  }
  await then(detector);
}

async function begin() {
  if (!part.dataset.reader && !(await readsAlone())) return;
  const [button, photo, video] = ["button", "input", "video"].map((each) => part.querySelector(each));
  notice.textContent = "";
  part.querySelector("[data-able]").hidden = false;
  button.hidden = !navigator.mediaDevices?.getUserMedia;
  button.addEventListener("click", () =>
    ready((detector) => {
      say("looking");
      return look(detector, video).catch(() => say("refused"));
    }),
  );
  photo.addEventListener("change", () =>
    ready(async (detector) => {
      const code = await read(detector, photo.files[0]).catch(() => undefined);
      photo.value = "";
      code ? found(code) : say("nothing");
    }),
  );
  part.addEventListener("toggle", () => {
    if (part.open) return;
    stop();
    video.hidden = true;
  });
  addEventListener("pagehide", stop);
}

if (part) begin();
