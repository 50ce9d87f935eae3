/* Highstreet: keys of the till and small comforts. Every page works without it. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const inField = (el) => el && el.matches("input, textarea, select, [contenteditable]");

  /* What outlasts one page of this tab: put once, taken once. A browser may refuse to keep it. */
  const kept = {
    put: (name, value) => { try { sessionStorage.setItem(name, JSON.stringify(value)); } catch { /* then not */ } },
    take: (name) => {
      try {
        const text = sessionStorage.getItem(name);
        sessionStorage.removeItem(name);
        return JSON.parse(text);
      } catch { return null; }
    },
  };

  /* What was wrong, or where to write, has the focus when a page opens. */
  const first = $("[data-hs-focus]");
  if (first && !location.hash) { first.focus(); if (first.select) first.select(); }

  /* A button that copies a field, where the browser lets a page do so. */
  if (navigator.clipboard) document.querySelectorAll("[data-hs-copy]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.hsCopy);
      try { await navigator.clipboard.writeText(from.value); button.textContent = button.dataset.hsCopied || "✓"; }
      catch { from.focus(); from.select(); }
    });
  });

  /* What is under way is looked at again until it is over; then the page is had anew, for its next
     step is another. Nobody who writes or reads a menu is disturbed. */
  const again = $("[data-hs-again]");
  const lookAgain = async () => {
    if (document.hidden || inField(document.activeElement) || $("details.hs-more")?.open) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = $("[data-hs-again]", page);
      if (!now) { location.reload(); return; }
      if (!again.contains(document.activeElement)) again.replaceChildren(...now.children);
    } catch { /* the line is down: next time */ }
  };
  if (again) setInterval(lookAgain, again.dataset.hsAgain * 1000);

  /* One press, one deed: a second one while the first is under way does nothing. */
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (event.target.dataset.hsSent) { event.preventDefault(); return; }
    event.target.dataset.hsSent = "1";
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("[data-hs-sent]").forEach((form) => delete form.dataset.hsSent);
  });

  /* The line: down when the device says so, or when the server has not answered. */
  const up = $("[data-hs-line]"), down = $("[data-hs-line-down]");
  const pad = $("[data-hs-offline]");
  const BEAT = 10_000, PATIENCE = 8_000; /* milliseconds */
  let answers = true, left = null;
  const works = () => navigator.onLine && answers;
  const line = () => {
    if (up && down) { up.hidden = !works(); down.hidden = works(); }
    if (!pad) return;
    pad.hidden = works();
    if (!works()) return;
    if ($("main").hidden) { $("[data-hs-lock]").requestSubmit(); return; }
    if (left) { left.focus(); left = null; } /* go on where the line broke */
  };
  const beat = async () => {
    if (document.hidden || !navigator.onLine) return;
    try {
      const answer = await fetch(pad.dataset.hsOffline, { cache: "no-store", signal: AbortSignal.timeout?.(PATIENCE) });
      answers = answer.status < 500;
    } catch { answers = false; }
    line();
  };
  if (pad) setInterval(beat, BEAT);
  /* At the till a page that can't be had must not take the place of this one: say what to do. */
  const stay = (event) => {
    if (works() || !pad) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.target.dataset.hsLock) $("main").hidden = true; /* locked all the same: nothing to see */
    if (!pad.contains(document.activeElement)) left = document.activeElement;
    pad.focus();
    beat();
  };
  document.addEventListener("submit", stay, true);
  document.addEventListener("click", (event) => { if (event.target.closest("a[href]")) stay(event); }, true);
  window.addEventListener("online", () => { line(); if (pad) beat(); });
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

  /* A list to choose from, rewards or members: 1–9 take one, arrows go through it. */
  const list = () => document.activeElement.closest("#rewards, [data-hs-list]");
  const step = (by) => {
    const all = [...list().querySelectorAll("button:not(:disabled), a[href]")];
    all[Math.min(Math.max(all.indexOf(document.activeElement) + by, 0), all.length - 1)]?.focus();
  };

  /* A scanner types much faster than a hand. What it types belongs in the find box, wherever the focus is. */
  const FASTEST_HAND = 35, CHOICE = 70, SLOWEST_PAGE = 2_000; /* milliseconds to the next key */
  let typed = "", at = -FASTEST_HAND, before = null, field = null, joined = false, chosen = 0;

  /* A scan that began on the page before, while its answer was under way, goes on here. */
  let begun = kept.take("hs-scan");
  document.addEventListener("submit", () => { typed = ""; });
  window.addEventListener("pagehide", () => {
    if (typed.length > 1) kept.put("hs-scan", { typed, at: performance.timeOrigin + at });
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const fast = event.timeStamp - at < (chosen ? CHOICE : FASTEST_HAND);
    if (fast) { clearTimeout(chosen); chosen = 0; }
    if (event.key === "F2") { find.focus(); find.select(); event.preventDefault(); return; }
    if (event.key === "F4") {
      const first = $("#rewards button:not(:disabled)") || $("#rewards");
      if (first) { first.focus(); event.preventDefault(); }
      return;
    }
    if (["F3", "F6", "F9", "Escape"].includes(event.key)) { if (press(event.key)) event.preventDefault(); return; }
    if (list() && !fast) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        step(event.key === "ArrowDown" ? 1 : -1);
        event.preventDefault();
        return;
      }
      /* Only while the list has the focus, so that an amount never does; and not before it is
         clear that no more keys follow, for a scan begins with a digit, too. */
      if (/^[1-9]$/.test(event.key)) {
        event.preventDefault();
        start(event.key);
        joined = true;
        at = event.timeStamp;
        chosen = setTimeout(() => { typed = ""; chosen = 0; press(event.key); }, CHOICE);
        return;
      }
    }
    scanned(event, fast);
  }, true);

  function scanned(event, fast) {
    if (begun && performance.timeOrigin + event.timeStamp - begun.at < SLOWEST_PAGE) {
      fast = joined = true;
      start(begun.typed);
    }
    begun = null;
    at = event.timeStamp;
    if (event.key === "Enter" && fast && typed.length >= 6 && (joined || document.activeElement !== find)) {
      event.preventDefault();
      event.stopPropagation();
      if (field) field.value = before;
      submit();
      return;
    }
    if (event.key.length !== 1) { typed = ""; return; }
    if (!fast) { start(""); joined = false; }
    typed += event.key;
    if (!inField(document.activeElement)) find.focus(); /* a hand that types anywhere types here */
  }
  function start(text) {
    typed = text;
    field = inField(document.activeElement) ? document.activeElement : null;
    before = field && field.value;
  }
  function submit() {
    find.value = typed;
    typed = "";
    find.form.requestSubmit();
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

  /* A till that locked in the middle of a sale comes back with the amount that was typed. */
  const receipt = $("#receipt");
  lock?.addEventListener("submit", () => {
    kept.put("hs-sale", { where: location.pathname, amount: amount.value, receipt: receipt.value });
  });
  const sale = kept.take("hs-sale");
  if (sale?.where === location.pathname && !amount.value) {
    amount.value = sale.amount;
    receipt.value = sale.receipt;
  }
  if (amount.value) preview();
})();
