// Live pages: the server says that something has changed, and the parts marked data-live are fetched again.
// Everything works without this file; it only saves reloading.
"use strict";

const parser = new DOMParser();
let loading = false;
let again = false;

async function fetched(url) {
  const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (response.redirected && new URL(response.url).pathname === "/login") {
    location.assign(response.url);
    throw new Error("the session is over");
  }
  if (!response.ok) throw new Error(String(response.status));
  return parser.parseFromString(await response.text(), "text/html");
}

function exchange(old, fresh) {
  if (!fresh || old.innerHTML === fresh.innerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const href = focused ? focused.getAttribute("href") : null;
  const open = new Set([...old.querySelectorAll("details[open]")].map((item) => item.id));
  const log = old.querySelector("pre.log");
  const atEnd = log && log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  const top = log ? log.scrollTop : 0;
  old.replaceChildren(...fresh.childNodes);
  for (const item of old.querySelectorAll("details")) if (open.has(item.id)) item.open = true;
  const next = old.querySelector("pre.log");
  if (next) next.scrollTop = atEnd ? next.scrollHeight : top;
  if (href) [...old.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === href)?.focus();
  if (fresh.dataset.again) old.dataset.again = fresh.dataset.again;
  else delete old.dataset.again;
}

async function refresh() {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  try {
    const page = await fetched(location.href);
    for (const part of document.querySelectorAll("[data-live]")) exchange(part, page.getElementById(part.id));
  } catch {
    // The next change, or the next reload, shows what is.
  } finally {
    loading = false;
    if (again) {
      again = false;
      setTimeout(refresh, 500);
    }
  }
}

async function forecast(place) {
  try {
    const page = await fetched(place.dataset.from);
    const fresh = page.getElementById(place.id);
    const wait = Number(fresh.dataset.again || 0);
    exchange(place, fresh);
    if (wait) setTimeout(() => forecast(place), wait);
  } catch {
    // The link to the page of its own stays.
  }
}

function listen() {
  const source = new EventSource("/events");
  const light = document.getElementById("live");
  source.addEventListener("open", () => { light.hidden = false; });
  source.addEventListener("error", () => { light.hidden = true; });
  source.addEventListener("changed", refresh);
  addEventListener("pagehide", () => source.close());
}

for (const log of document.querySelectorAll("pre.log")) log.scrollTop = log.scrollHeight;
for (const place of document.querySelectorAll("[data-from]")) forecast(place);
for (const place of document.querySelectorAll("[data-again]:not([data-from])")) {
  const timer = setInterval(() => {
    if (place.dataset.again) {
      if (place.dataset.live === undefined) location.reload();
      else refresh();
    } else clearInterval(timer);
  }, Number(place.dataset.again));
}
if (document.querySelector("[data-live]")) listen();
