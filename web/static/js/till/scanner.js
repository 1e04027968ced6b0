// Scanning: a scanner that types like a keyboard, wherever the cursor is, and the camera where there is one.

const FASTEST_TYPIST = 45;
const SHORTEST = 6;
const FORMATS = ["ean_13", "ean_8", "upc_a", "itf", "code_128", "qr_code"];

export function open(till) {
  const { $, say } = till;

  // A number of ours is tried as a card first: in-house cards and in-house articles both begin with 2.
  till.scanned = async (code) => {
    till.problem("");
    if ($("till-sale").hidden) return till.returns.take(code);
    const looksLikeCard = /^(2\d{12}|\d{15,})$/.test(code);
    if (looksLikeCard && (till.queue.offline() || await knows(code))) return till.basket.takeCard(code);
    if (await till.basket.takeArticle(code)) return undefined;
    if (!till.queue.offline() && await till.codes.kindOf(code)) return till.codes.take(code);
    if (await knows(code)) return till.basket.takeCard(code);
    return till.problem(say("unknown_code", { code }));
  };

  async function knows(code) {
    try {
      await till.server.ask(`/cards/${encodeURIComponent(code)}`);
      return true;
    } catch (error) {
      if (error.status === 404) return false;
      throw error;
    }
  }

  // --- A keyboard wedge: keys that come faster than anybody types, then Enter -----------------

  let keys = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.target.closest?.("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = performance.now();
    if (now - last > FASTEST_TYPIST) keys = "";
    last = now;
    if (event.key === "Enter") {
      const code = keys;
      keys = "";
      if (code.length < SHORTEST) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      till.scanned(code).catch((error) => till.problem(error.message));
    } else if (event.key.length === 1) keys += event.key;
  }, true);

  // --- The camera ---------------------------------------------------------------------------

  if (!navigator.mediaDevices?.getUserMedia) return;
  const video = $("till-video");
  let stream = null;
  $("till-camera").hidden = false;
  $("till-camera").addEventListener("click", () => (stream ? close() : look().catch((error) => {
    close();
    till.problem(`${say("no_camera")}\n${error.message}`);
  })));

  function close() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    $("till-view").hidden = true;
    $("till-camera").setAttribute("aria-pressed", "false");
  }

  // The browser's own reader knows more kinds of codes; most browsers have none, and ours reads cards and articles.
  async function reader() {
    const readable = (await window.BarcodeDetector?.getSupportedFormats()) ?? [];
    if (!readable.includes("ean_13")) return new till.BarcodeReader();
    return new window.BarcodeDetector({ formats: FORMATS.filter((one) => readable.includes(one)) });
  }

  async function look() {
    const detector = await reader();
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    video.srcObject = stream;
    $("till-view").hidden = false;
    $("till-camera").setAttribute("aria-pressed", "true");
    await video.play();
    while (stream) {
      const [code] = await detector.detect(video);
      if (code) {
        close();
        await till.scanned(code.rawValue);
        return;
      }
      await new Promise((resolve) => { setTimeout(resolve, 120); });
    }
  }
}
