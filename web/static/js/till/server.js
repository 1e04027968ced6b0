// The till's key, kept in this tab only, and its calls to the interface that every till speaks.

export function open(till) {
  const { $, say, store } = till;
  const keyName = () => `till-key ${store().value}`;

  function showKey() {
    $("till-key").value = sessionStorage.getItem(keyName()) || "";
    const has = Boolean($("till-key").value);
    $("till-state").textContent = has ? store().dataset.name : say("no_key");
    $("till-setting").open = !has;
  }

  function keep(key) {
    sessionStorage.setItem(keyName(), key);
    showKey();
  }

  till.onStore.push(showKey);
  $("till-key").addEventListener("change", () => keep($("till-key").value.trim()));
  $("till-make-key")?.addEventListener("click", async () => {
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    const response = await fetch(till.root.dataset.keyAddress, { method: "POST", headers, body: new URLSearchParams({ store: store().value }) });
    if (!response.ok) return till.problem(document.body.dataset.failed);
    keep((await response.json()).key);
    till.toast(say("key_made"), "good");
    $("till-card").focus();
  });

  // Raises an Error with `status`; with `unreachable` when nobody can say whether it arrived. What has a `once` is done once under it.
  async function ask(path, body, once) {
    const key = sessionStorage.getItem(keyName());
    if (!key) {
      $("till-setting").open = true;
      $("till-key").focus();
      throw new Error(say("no_key"));
    }
    const headers = { Authorization: `Bearer ${key}` };
    const options = { credentials: "omit", headers };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      if (once) headers["Idempotency-Key"] = once;
      Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    }
    let response;
    try {
      response = await fetch(`/pos/v1${path}`, options);
    } catch {
      throw Object.assign(new Error(say("unreachable")), { unreachable: true });
    }
    const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw Object.assign(new Error(told(answer) || say("unreachable")), { status: response.status, unreachable: response.status >= 500 });
  }

  function told(problem) {
    const places = (problem.errors || []).map((one) => `${one.pointer}: ${one.detail}`).join("\n");
    return [problem.title, problem.detail, places].filter(Boolean).join("\n");
  }

  return { ask, told };
}
