// Puts the report, or a link to the view that is shown, on the clipboard, and says so.

const said = document.getElementById("copied");
const texts = {
  async report() {
    const response = await fetch(document.getElementById("report").href);
    if (!response.ok) throw new Error(response.status);
    return response.text();
  },
  async link({ link }) {
    return new URL(link, location.href).href;
  },
};

/** The text may still be on its way: browsers let nobody copy who waits for it first. */
async function copy(text) {
  if (navigator.clipboard && globalThis.ClipboardItem) {
    const blob = text.then((whole) => new Blob([whole], { type: "text/plain" }));
    return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  }
  // Over plain HTTP there is no such clipboard.
  const area = document.createElement("textarea");
  area.className = "sr";
  area.value = await text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("refused");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy]");
  if (!button) return;
  const { copy: what, done, failed } = button.dataset;
  said.textContent = ""; // so that the same words are said again
  try {
    await copy(texts[what](button.dataset));
    said.textContent = done;
  } catch {
    said.textContent = failed;
  }
  if (document.activeElement === document.body) document.getElementById(button.id)?.focus();
});
