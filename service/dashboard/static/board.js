// Keeps the board fresh: fetches the page again at the pace of its snapshots and swaps the parts that
// changed. Scroll, focus and opened details stay; what could not be refreshed says so.

const root = document.documentElement;
const { refresh, staleAfter, staleTitle } = document.body.dataset;
const byId = (id) => document.getElementById(id);
const seconds = () => performance.now() / 1000;
const viewOf = (address) => address.split("#")[0];
const relative = new Intl.RelativeTimeFormat(root.lang, { style: "short" });

const sources = new Map(); // each part as the server sent it, before anybody opened or typed anything
let asOf = seconds() - Math.max(0, Date.now() / 1000 - document.body.dataset.tick); // until a header says better
let shown = viewOf(location.href); // the view whose figures stand on the page
let failures = 0; // in a row
let timer;
let request;

function remember() {
  for (const part of document.querySelectorAll("[data-part]")) sources.set(part.id, part.outerHTML);
}

/** What stays where it is while parts above it grow: the chart that is pointed at, or the first part in sight. */
function landmark() {
  return document.querySelector(".plot:hover") ?? [...document.querySelectorAll("[data-part]")].find((part) => part.getBoundingClientRect().bottom > 0);
}

/** Changes what may move the page; what somebody looks at stays where it is. */
function steadily(change) {
  const anchor = landmark();
  const top = anchor?.getBoundingClientRect().top;
  change();
  const kept = anchor && byId(anchor.id);
  const moved = kept ? kept.getBoundingClientRect().top - top : 0;
  if (moved) scrollBy(0, moved); // and by nothing would stop whoever scrolls just then
}

function swap(page) {
  const focused = document.activeElement?.closest("[id]")?.id;
  for (const part of page.querySelectorAll("[data-part]")) {
    const old = byId(part.id);
    if (!old || sources.get(part.id) === part.outerHTML) continue;
    sources.set(part.id, part.outerHTML);
    for (const open of old.querySelectorAll("details[open]")) part.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
    old.replaceWith(document.adoptNode(part));
  }
  document.dispatchEvent(new Event("swapped"));
  byId("icon").href = page.getElementById("icon").href;
  if (root.dataset.state !== page.documentElement.dataset.state) byId("announce").textContent = page.title;
  root.dataset.state = page.documentElement.dataset.state;
  document.title = page.title;
  document.body.dataset.title = page.title;
  const kept = focused && (byId(focused) ?? byId("clear") ?? byId("figures")); // what is followed may be gone then
  if (kept && document.activeElement !== kept) kept.focus({ preventScroll: true });
}

/** Shows the page at an address. Resolves to what was in the way, if anything was. */
async function load(address) {
  clearTimeout(timer);
  request?.abort("another page is wanted");
  const mine = (request = new AbortController());
  const isOther = viewOf(address) !== shown;
  byId("figures").ariaBusy = isOther;
  const giveUp = setTimeout(() => mine.abort("no answer"), 30000);
  try {
    const response = await fetch(address, { cache: "no-cache", signal: mine.signal, headers: { accept: "text/html" } });
    if (response.status === 401) return failed("signedOut", mine);
    if (isOther && [429, 503].includes(response.status)) return keep(address, mine);
    const page = response.ok && new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page || page.body.id !== "board") return failed("refused", mine);
    if (mine !== request) return "overtaken";
    asOf = seconds() - Number(response.headers.get("age"));
    steadily(() => {
      swap(page);
      shown = viewOf(address);
      failures = 0;
      byId("problem").hidden = true;
      if (isOther) byId("kept").hidden = true;
      tell();
    });
    const isBehind = response.headers.get("x-cache") === "stale";
    const due = isBehind ? 2 : Number(refresh) - (seconds() - asOf);
    timer = setTimeout(again, 1000 * Math.max(1, due) + 500 * Math.random());
    return null;
  } catch {
    return failed("unreachable", mine);
  } finally {
    clearTimeout(giveUp);
    if (mine === request) byId("figures").ariaBusy = false;
  }
}

/** Other figures cannot be had just now: those that stand here stay and are kept fresh, with a note. */
function keep(address, mine) {
  if (mine !== request) return "overtaken";
  byId("again").href = address;
  steadily(() => (byId("kept").hidden = false));
  byId("filters").reset();
  timer = setTimeout(again, 1000);
  return "unavailable";
}

function failed(reason, mine) {
  if (mine !== request) return "overtaken";
  failures += 1;
  const time = `${new Date(byId("as-of").dateTime).toISOString().slice(11, 19)} UTC`;
  const problem = byId("problem");
  const text = problem.dataset[reason].replace("{time}", time);
  steadily(() => {
    if (problem.textContent !== text) problem.textContent = text;
    problem.hidden = false;
  });
  timer = setTimeout(again, 1000 * Math.min(Number(refresh), 2 ** failures));
  return reason;
}

function again() {
  load(location.href);
}

/** How old the figures are; past a while they are called old in so many words. */
function tell() {
  const age = Math.max(0, Math.floor(seconds() - asOf));
  const [n, unit] = age < 100 ? [age, "second"] : age < 6000 ? [Math.floor(age / 60), "minute"] : [Math.floor(age / 3600), "hour"];
  const text = relative.format(-n, unit);
  if (byId("age").textContent !== text) byId("age").textContent = text;
  const isStale = age > Number(staleAfter);
  if (isStale !== "stale" in root.dataset) byId("announce").textContent = isStale ? staleTitle : document.body.dataset.title;
  root.toggleAttribute("data-stale", isStale);
  document.title = isStale ? staleTitle : document.body.dataset.title;
  const time = byId("as-of");
  time.title ||= new Date(time.dateTime).toLocaleString(root.lang, { timeZoneName: "short" });
}

async function visit(target) {
  const address = new URL(target, location.href).href;
  const problem = await load(address);
  if (!problem) history.pushState(null, "", address);
  else if (problem === "refused" || problem === "signedOut") location.assign(address); // that page says why
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-swap]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  visit(link.href);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-swap]")) return;
  event.preventDefault();
  const given = [...new FormData(event.target)].filter(([, value]) => value.trim());
  visit(`${location.pathname}?${new URLSearchParams(given)}`);
});
document.addEventListener("change", (event) => event.target.form?.matches("form[data-swap]") && event.target.form.requestSubmit());
addEventListener("popstate", again);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && again());

document.body.dataset.title = document.title;
remember();
setInterval(() => steadily(tell), 1000);
tell();
again();
