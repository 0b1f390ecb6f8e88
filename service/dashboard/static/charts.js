// Makes the trends answer: pointing at a chart, touching it or the arrow keys show the figures of a point.
// Numbers come from the figure's data-trend, words from its table. uPlot draws two strips, the rate over the
// volume; the picture that the server drew stays in the page, for paper.

const charts = new Map(); // by the plot's id
const WHOLE = Array.from({ length: 40 }, (_, n) => [1, 2, 2.5, 5][n % 4] * 10 ** Math.floor(n / 4)).filter(Number.isInteger);
const LETTER = 0.62; // how wide a letter or digit is, in sizes of its font

/** The table's rows as what they say: pairs of a column's name and its text. */
function wordsOf(figure) {
  const texts = (row) => [...row.cells].map((cell) => cell.textContent);
  const names = texts(figure.querySelector(".points thead tr"));
  return [...figure.querySelectorAll(".points tbody tr")].map((row) => texts(row).map((text, n) => [names[n], text]));
}

/** Runs of neighbours: 2, 3, 5 as [2, 3] and [5, 5]. */
function runs(places) {
  const found = [];
  for (const place of places) {
    if (found.at(-1)?.[1] === place - 1) found.at(-1)[1] = place;
    else found.push([place, place]);
  }
  return found;
}

function hatched(ctx, colour) {
  const side = Math.round(7 * devicePixelRatio);
  const tile = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = devicePixelRatio;
  for (const shift of [-side, 0, side]) {
    pen.moveTo(shift - 1, side + 1);
    pen.lineTo(shift + side + 1, -1);
  }
  pen.stroke();
  return ctx.createPattern(tile, "repeat");
}

class Chart {
  /** `before` is the chart in whose place this one stands, if there is one. */
  constructor(figure, before) {
    this.plot = figure.querySelector(".plot");
    this.words = wordsOf(figure);
    this.data = JSON.parse(figure.dataset.trend);
    this.places = this.words.map((_, n) => n);
    this.unknown = this.places.filter((n) => this.data.rates[n] === null);
    this.last = this.words.length - 1;
    this.current = before?.last === this.last ? before.current : this.last;
    const style = getComputedStyle(this.plot);
    this.size = Math.round(0.76 * parseFloat(style.fontSize));
    this.font = `${this.size}px ${style.fontFamily}`;
    this.strips = [this.rates(), this.counts()];
    this.tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true, ariaHidden: "true" });
    this.plot.append(this.tip);
    this.plot.classList.add("live");
    this.describe(figure.querySelector("svg").getAttribute("aria-label"));
    this.listen();
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.plot);
  }

  get isShown() {
    return !this.tip.hidden;
  }

  get isPast() {
    return this.data.past.includes(this.current);
  }

  /** Whether points stand too close for marks of their own. */
  get isCrowded() {
    return this.plot.clientWidth < 6 * this.words.length;
  }

  colour(name) {
    return getComputedStyle(this.plot).getPropertyValue(`--${name}`);
  }

  /* What is drawn */

  rates() {
    const { rates, limit, past } = this.data;
    const isAlone = (n) => rates[n - 1] == null && rates[n + 1] == null;
    const isDot = (n) => (this.isCrowded ? isAlone(n) : !past.includes(n));
    const dots = () => this.places.filter((n) => rates[n] !== null && isDot(n));
    const accent = () => this.colour("accent");
    return this.strip(true, [rates], {
      padding: [this.size / 2, this.size, this.size / 2, 0],
      scales: { y: { range: [0, Math.min(1, 1.15 * Math.max(limit, 0.01, ...rates))] } },
      series: [{}, { scale: "y", stroke: accent, width: 2.2, points: { show: true, size: 5, width: 0, fill: accent, filter: dots } }],
      axes: [{ show: false }, this.axis({ scale: "y", values: (_, found) => found.map((rate) => `${+(100 * rate).toPrecision(6)} %`) })],
      hooks: { drawClear: [(u) => this.shade(u), (u) => this.shadePast(u)], drawAxes: [(u) => this.limit(u), (u) => this.roof(u)], draw: [(u) => this.mark(u)] },
    });
  }

  counts() {
    const { labels, totals, parts } = this.data;
    const most = Math.max(1, ...totals);
    const seen = (count) => count && Math.max(count, most / 40); // what is not nothing has a bar
    const bars = uPlot.paths.bars({ size: [0.7, 40] });
    const named = this.places.filter((n) => labels[n]);
    const room = this.size * (1.5 + LETTER * Math.max(...labels.map((label) => label.length)));
    const step = () => Math.ceil((named.length * room) / (this.plot.clientWidth - this.gutter()));
    return this.strip(false, [totals.map(seen), parts.map(seen)], {
      padding: [0.8 * this.size, this.size, 0, 0],
      scales: { y: { range: [0, 1.1 * most] } },
      series: [{}, ...["bar", "critical"].map((name) => ({ scale: "y", fill: () => this.colour(name), width: 0, points: { show: false }, paths: bars }))],
      axes: [
        this.axis({ scale: "x", size: this.size + 8, grid: { show: false }, splits: () => named.filter((_, n) => n % step() === 0), values: (_, found) => found.map((n) => labels[n]) }),
        this.axis({ scale: "y", incrs: WHOLE, values: (_, found) => found.map((count) => count.toLocaleString("en")) }),
      ],
      hooks: { drawClear: [(u) => this.shade(u)] },
    });
  }

  strip(isUpper, columns, options) {
    const scales = { x: { time: false, range: [-0.5, this.last + 0.5] }, ...options.scales };
    const ring = { size: 11, width: 2, fill: () => this.colour("card") };
    const cursor = { y: false, points: isUpper ? ring : { show: false } };
    return new uPlot({ class: "strip", legend: { show: false }, cursor, ...options, ...this.space(isUpper), scales }, [this.places, ...columns], this.plot);
  }

  axis(options) {
    const colours = { stroke: () => this.colour("muted"), grid: { stroke: () => this.colour("line"), width: 1 } };
    return { ...colours, font: this.font, size: this.gutter(), space: 1.6 * this.size, gap: 5, ticks: { show: false }, ...options };
  }

  /** The room for the values of both strips, which stand one above the other. */
  gutter() {
    const most = Math.max(...this.data.totals).toLocaleString("en");
    return this.size * Math.max(3.9, 1 + LETTER * most.length);
  }

  space(isUpper) {
    const { clientWidth: width, clientHeight: whole } = this.plot;
    const height = Math.round(0.58 * whole);
    return { width, height: isUpper ? height : whole - height };
  }

  fit() {
    this.strips.forEach((strip, n) => strip.setSize(this.space(n === 0)));
    if (this.isShown) this.show(this.current);
  }

  redraw() {
    for (const strip of this.strips) strip.redraw();
    if (this.isShown) this.show(this.current);
  }

  /** Whole columns behind the points: buckets that are not over, and those of which nothing is known. */
  shade(u) {
    this.fill(u, this.data.partial, this.colour("accent"), 0.13);
    this.fill(u, this.unknown, this.colour("muted"), 0.13);
  }

  /** A failing stretch is hatched and has a roof, for those who do not see its colour. */
  shadePast(u) {
    const colour = this.colour("past");
    this.fill(u, this.data.past, colour, 0.1);
    this.fill(u, this.data.past, hatched(u.ctx, colour), 0.45);
  }

  roof(u) {
    this.fill(u, this.data.past, this.colour("past"), 1, 3 * devicePixelRatio);
  }

  fill(u, places, style, alpha, height = u.bbox.height) {
    const edge = (place) => Math.round(u.valToPos(place, "x", true));
    u.ctx.save();
    u.ctx.fillStyle = style;
    u.ctx.globalAlpha = alpha;
    for (const [from, to] of runs(places)) u.ctx.fillRect(edge(from - 0.5), u.bbox.top, edge(to + 0.5) - edge(from - 0.5), height);
    u.ctx.restore();
  }

  limit(u) {
    const y = Math.round(u.valToPos(this.data.limit, "y", true));
    u.ctx.save();
    u.ctx.strokeStyle = this.colour("warn-fill");
    u.ctx.lineWidth = 1.4 * devicePixelRatio;
    u.ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    u.ctx.stroke(new Path2D(`M${u.bbox.left} ${y}h${u.bbox.width}`));
    u.ctx.restore();
  }

  /** A triangle on each point that is past its limit. */
  mark(u) {
    if (this.isCrowded) return; // the roof says it
    const side = 5 * devicePixelRatio;
    u.ctx.save();
    u.ctx.fillStyle = this.colour("past");
    u.ctx.strokeStyle = this.colour("card");
    u.ctx.lineWidth = 1.5 * devicePixelRatio;
    for (const place of this.data.past) {
      const [x, y] = [u.valToPos(place, "x", true), u.valToPos(this.data.rates[place], "y", true)];
      const triangle = new Path2D(`M${x} ${y - 1.2 * side}l${1.1 * side} ${2 * side}h${-2.2 * side}Z`);
      u.ctx.stroke(triangle);
      u.ctx.fill(triangle);
    }
    u.ctx.restore();
  }

  /* What is said */

  /** For those who hear the page: a slider over the points, whose value is what the point's row says. */
  describe(label) {
    const range = { ariaValueMin: 0, ariaValueMax: this.last };
    Object.assign(this.plot, { tabIndex: 0, role: "slider", ariaLabel: label, ariaRoleDescription: this.plot.dataset.kind, ...range });
    this.tell();
  }

  tell() {
    const said = this.words[this.current].map(([name, text]) => `${name} ${text}`);
    if (this.isPast) said.push(this.plot.dataset.past);
    Object.assign(this.plot, { ariaValueNow: this.current, ariaValueText: said.join("; ") });
  }

  lines() {
    const made = (name, text) => Object.assign(document.createElement(name), { textContent: text });
    const list = document.createElement("dl");
    list.append(...this.words[this.current].flatMap(([name, text]) => [made("dt", name), made("dd", text)]));
    return this.isPast ? [list, made("p", this.plot.dataset.past)] : [list];
  }

  show(place) {
    this.current = Math.min(this.last, Math.max(0, place));
    const [{ over }] = this.strips;
    const left = this.strips[0].valToPos(this.current, "x");
    for (const strip of this.strips) strip.setCursor({ left, top: 0 });
    this.tell();
    this.tip.replaceChildren(...this.lines());
    this.tip.hidden = false;
    const [x, width] = [over.offsetLeft + left, this.plot.clientWidth];
    const isLeft = 2 * x < width;
    Object.assign(this.tip.style, { left: isLeft ? `${x + 12}px` : "auto", right: isLeft ? "auto" : `${width - x + 12}px` });
  }

  hide() {
    this.tip.hidden = true;
    for (const strip of this.strips) strip.setCursor({ left: -10, top: -10 });
  }

  /* What is asked */

  listen() {
    const on = (name, act) => this.plot.addEventListener(name, act);
    on("pointermove", (event) => this.point(event));
    on("pointerdown", (event) => this.point(event));
    on("pointerleave", (event) => event.pointerType === "mouse" && this.hide()); // a finger leaves what it found
    on("focus", () => this.show(this.current));
    on("blur", () => this.hide());
    on("keydown", (event) => this.press(event));
  }

  point(event) {
    const place = this.strips[0].posToIdx(event.clientX - this.strips[0].over.getBoundingClientRect().left);
    if (place !== this.current || !this.isShown) this.show(place);
  }

  press(event) {
    const [before, after] = [this.current - 1, this.current + 1];
    const places = { ArrowLeft: before, ArrowDown: before, ArrowRight: after, ArrowUp: after, Home: 0, End: this.last };
    if (event.metaKey || event.ctrlKey || event.altKey || event.shiftKey) return;
    if (event.key === "Escape") this.hide();
    if (!(event.key in places)) return;
    event.preventDefault();
    this.show(places[event.key]);
  }

  end() {
    this.sizes.disconnect();
    for (const strip of this.strips) strip.destroy();
  }
}

/** Draws the trends that are new on the page; the point that was shown of one before is shown again. */
function enliven() {
  for (const figure of document.querySelectorAll("figure[data-trend]")) {
    const { id } = figure.querySelector(".plot");
    const before = charts.get(id);
    if (before?.plot.isConnected) continue;
    const now = new Chart(figure, before);
    charts.set(id, now);
    if (before?.isShown) now.show(now.current);
    before?.end();
  }
}

document.addEventListener("swapped", enliven);
document.addEventListener("pointerdown", ({ target }) => charts.forEach((chart) => chart.plot.contains(target) || chart.hide()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.redraw()));
enliven();
