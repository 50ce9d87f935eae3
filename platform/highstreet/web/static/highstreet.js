/* Highstreet: keys of the till and small comforts. Every page works without it. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const inField = (el) => el && el.matches("input, textarea, select, [contenteditable]");

  /* What was wrong, or where to write, has the focus when a page opens. */
  const first = $("[data-hs-focus]");
  if (first && !location.hash) { first.focus(); if (first.select) first.select(); }

  /* One press, one deed: a second one while the first is under way does nothing. */
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (event.target.dataset.hsSent) { event.preventDefault(); return; }
    event.target.dataset.hsSent = "1";
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("[data-hs-sent]").forEach((form) => delete form.dataset.hsSent);
  });

  /* The line: shown only where we can tell. */
  const up = $("[data-hs-line]"), down = $("[data-hs-line-down]");
  const pad = $("[data-hs-offline]");
  const line = () => {
    if (up && down) { up.hidden = !navigator.onLine; down.hidden = navigator.onLine; }
    if (pad) pad.hidden = navigator.onLine;
  };
  /* At the till a page that can't be had must not take the place of this one: say what to do. */
  const stay = (event) => {
    if (navigator.onLine || !pad) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.target.dataset.hsLock) $("main").hidden = true; /* locked all the same: nothing to see */
    pad.focus();
  };
  document.addEventListener("submit", stay, true);
  document.addEventListener("click", (event) => { if (event.target.closest("a[href]")) stay(event); }, true);
  window.addEventListener("online", () => { if ($("main").hidden) $("[data-hs-lock]").requestSubmit(); });
  window.addEventListener("online", line);
  window.addEventListener("offline", line);
  line();

  /* The menu closes on Escape and when the focus or a click leaves it. */
  const menu = $("details.hs-more");
  if (menu) {
    const shut = (event) => { if (menu.open && !menu.contains(event.target)) menu.open = false; };
    document.addEventListener("click", shut);
    document.addEventListener("focusin", shut);
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) { menu.open = false; $("summary", menu).focus(); event.stopPropagation(); }
    });
  }

  /* A till locks by F8, and by itself when nobody has touched it; whoever types keeps it open. */
  const lock = $("[data-hs-lock]");
  if (lock) {
    const idle = lock.dataset.hsLock * 1000;
    let touched = Date.now(), told = touched;
    const touch = () => {
      touched = Date.now();
      if (touched - told < idle / 10) return;
      told = touched;
      fetch(lock.dataset.hsAwake).then((answer) => { if (answer.status === 401) lock.requestSubmit(); }, () => { /* the line is down */ });
    };
    for (const kind of ["keydown", "pointerdown", "wheel"]) document.addEventListener(kind, touch, { capture: true, passive: true });
    document.addEventListener("keydown", (event) => {
      if (event.key === "F8") { event.preventDefault(); lock.requestSubmit(); }
    });
    setInterval(() => { if (Date.now() - touched >= idle) { touched = Date.now(); lock.requestSubmit(); } }, 1000);
  }

  const till = $("[data-hs-till]");
  if (!till) return;
  const find = $("#find");
  const press = (key) => { const el = $(`[data-hs-key="${key}"]`); if (el && !el.disabled) el.click(); return Boolean(el); };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "F2") { find.focus(); find.select(); event.preventDefault(); return; }
    if (event.key === "F4") { const list = $("#rewards"); if (list) { list.focus(); event.preventDefault(); } return; }
    if (["F3", "F9", "Escape"].includes(event.key)) { if (press(event.key)) event.preventDefault(); return; }
    /* 1–9 redeem only while the list of rewards has the focus, so that a scan or an amount never does. */
    if (/^[1-9]$/.test(event.key) && $("#rewards")?.contains(document.activeElement)) {
      if (press(event.key)) event.preventDefault();
      return;
    }
    scanned(event);
  }, true);

  /* A scanner types much faster than a hand. What it types belongs in the find box, wherever the focus is. */
  const FASTEST_HAND = 35; /* milliseconds between keys */
  let typed = "", at = 0, kept = null, field = null;
  function scanned(event) {
    const fast = event.timeStamp - at < FASTEST_HAND;
    at = event.timeStamp;
    if (event.key === "Enter" && fast && typed.length >= 6 && document.activeElement !== find) {
      event.preventDefault();
      event.stopPropagation();
      if (field) field.value = kept;
      find.value = typed;
      find.form.requestSubmit();
      return;
    }
    if (event.key.length !== 1) { typed = ""; return; }
    if (!fast) {
      typed = "";
      field = inField(document.activeElement) ? document.activeElement : null;
      kept = field && field.value;
    }
    typed += event.key;
    if (!inField(document.activeElement)) find.focus(); /* a hand that types anywhere types here */
  }

  /* What the amount would earn, asked of the server: the rule lives there. */
  const earn = $("[data-hs-preview]");
  if (!earn) return;
  const amount = $("#amount"), button = $("button[type=submit] span", earn), hint = $("#earn-hint");
  const words = [button.textContent, hint.textContent];
  let waiting = 0, asked = 0;
  const show = (label, note) => { button.textContent = label || words[0]; hint.textContent = note || words[1]; };
  async function preview() {
    const turn = ++asked;
    if (!amount.value.trim()) { show(); return; }
    try {
      const url = new URL(earn.dataset.hsPreview, location.href);
      url.searchParams.set("amount", amount.value);
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (turn !== asked) return;
      if (!answer.ok) { show(); return; }
      const said = await answer.json();
      show(said.button, said.hint);
    } catch { show(); /* the line is down: giving points will say so */ }
  }
  amount.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(preview, 120); });
  if (amount.value) preview();
})();
