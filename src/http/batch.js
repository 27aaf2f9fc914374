// The page of a large run in a browser with scripts: puts in place what the server sends as the run
// goes on, and draws its timeline. It computes no figure: every word comes from the server.

const main = document.querySelector("main[data-run]");
const id = main.dataset.run;
const at = (name) => document.getElementById(name);
const live = at("b-head").hasAttribute("data-live");

// ---- the parts that change ----

const waiting = new Map();

/** Replaces a part, unless somebody is in it: then once they have left. */
function put(name, html) {
  const place = at(name);
  if (!place) return;
  if (place !== document.activeElement && place.contains(document.activeElement)) {
    waiting.set(name, html);
    return;
  }
  waiting.delete(name);
  const scrolled = [...place.querySelectorAll(".scroll")].map((e) => e.scrollLeft);
  const open = [...place.querySelectorAll("details")].map((e) => e.open);
  place.innerHTML = html;
  place.querySelectorAll(".scroll").forEach((e, i) => (e.scrollLeft = scrolled[i] || 0));
  place.querySelectorAll("details").forEach((e, i) => (e.open = open[i] || false));
}

addEventListener("focusout", () =>
  setTimeout(() => [...waiting].forEach(([name, html]) => put(name, html))),
);

/** Says whether the program can be reached. What cannot be done meanwhile cannot be pressed. */
function connected(yes) {
  at("b-lost").hidden = yes;
  at("b-actions").inert = !yes;
}

/** Between two tries, where the browser has given up trying by itself. */
const AGAIN = 1500;

function follow() {
  const source = new EventSource(`/api/runs/${id}/frames?page=1`);
  source.onopen = () => connected(true);
  source.addEventListener("frame", (event) => {
    connected(true);
    for (const [name, html] of Object.entries(JSON.parse(event.data))) put(name, html);
  });
  source.addEventListener("end", () => {
    source.close();
    // The page of a run that is over has other controls; whoever writes in it is not disturbed.
    if (!/^(INPUT|SELECT)$/.test(document.activeElement?.tagName ?? "")) location.reload();
  });
  source.onerror = () => {
    connected(false);
    // An answer that is no stream, as of a program that has just begun or of a proxy before it.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, AGAIN);
  };
  addEventListener("pagehide", () => source.close(), { once: true });
}

async function readResults() {
  const old = at("results");
  if (!old || document.hidden || old.contains(document.activeElement)) return;
  if (old.querySelector("details[open]")) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("results");
    if (fresh && !old.contains(document.activeElement)) old.replaceWith(fresh);
  } catch {
    // While the server is away the results stay as they are.
  }
}

if (live) {
  follow();
  setInterval(readResults, 5000);
}

// ---- the timeline ----

const lanes = at("b-lanes");
const brush = at("b-brush");
const NAMES = { g: "generating", t: "time to first token", f: "failed attempt", r: "rate-limit wait", b: "retry backoff", q: "queue wait", ".": "idle" };
const VARS = { g: "--s-gen", t: "--s-ttft", f: "--s-fail", r: "--e-rate", b: "--e-retry", q: "--s-queue", accent: "--accent", bg: "--inset" };
/** Time lost has a pattern too, so that its kind is not told by its colour alone: ground, ink, strokes. */
const PATTERNS = { f: ["--s-fail", "#fff7", "/\\"], r: ["--s-rate", "--e-rate", "/"], b: ["--s-retry", "--e-retry", "."], q: ["--s-queue", "--e-queue", "-"] };
/** The size of a pattern, and the least of what is filled with one; CSS pixels. */
const TILE = 6;
let colours = {};
let patterns = {};
/** That size in device pixels. */
let tile = TILE;
/** What is shown, µs; none: all of it. */
let view = null;
let data = null;
let whole = null;
let selected = null;

function readColours() {
  const probe = document.createElement("i");
  main.append(probe);
  const colour = (name) => {
    probe.style.color = name.startsWith("--") ? `var(${name})` : name;
    return getComputedStyle(probe).color;
  };
  for (const [key, name] of Object.entries(VARS)) colours[key] = colour(name);
  tile = Math.round(TILE * (devicePixelRatio || 1));
  for (const [key, [ground, ink, strokes]] of Object.entries(PATTERNS)) {
    patterns[key] = pattern(colour(ground), colour(ink), strokes);
  }
  probe.remove();
}

/** A square that repeats without a seam. */
function pattern(ground, ink, strokes) {
  const side = tile;
  const dpr = side / TILE;
  const square = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const g = square.getContext("2d");
  g.fillStyle = ground;
  g.fillRect(0, 0, side, side);
  g.fillStyle = g.strokeStyle = ink;
  g.lineWidth = 1.5 * dpr;
  if (strokes === "-") g.fillRect(0, 0, side, Math.round(dpr));
  else if (strokes === ".") {
    g.arc(side / 2, side / 2, 1.2 * dpr, 0, 7);
    g.fill();
  } else {
    for (const stroke of strokes) {
      // The strokes next to it reach into its corners.
      for (const shift of [-side, 0, side]) {
        g.moveTo(shift + (stroke === "/" ? -1 : side + 1), side + 1);
        g.lineTo(shift + (stroke === "/" ? side + 1 : -1), -1);
      }
    }
    g.stroke();
  }
  return g.createPattern(square, "repeat");
}

/** What a state is filled with where there is so much room, device pixels. Asked for each cell. */
function fill(state, wide, tall) {
  return (tall >= tile && wide >= tile && patterns[state]) || colours[state];
}

function size(canvas) {
  const dpr = devicePixelRatio || 1;
  const w = Math.round(canvas.clientWidth * dpr);
  const h = Math.round(canvas.clientHeight * dpr);
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  return { w, h, dpr, g: canvas.getContext("2d", { alpha: false }) };
}

const time = (us) => (us < 6e7 ? `${(us / 1e6).toFixed(us < 1e7 ? 2 : 1)} s` : `${Math.floor(us / 6e7)} m ${String(Math.floor(us / 1e6) % 60).padStart(2, "0")} s`);
const shown = () => view ?? { from: 0, to: Math.max(1, whole?.end_us ?? data?.end_us ?? 1) };

/** Draws rows of letters as runs of one colour. */
function cells(g, from, to, rows, x, y, tall) {
  const per = (to - from) / rows[0].length;
  rows.forEach((row, r) => {
    let start = 0;
    for (let i = 1; i <= row.length; i++) {
      if (i < row.length && row[i] === row[start]) continue;
      if (row[start] !== ".") {
        const left = Math.round(x(from + start * per));
        const wide = Math.max(1, Math.round(x(from + i * per)) - left);
        g.fillStyle = fill(row[start], wide, tall);
        g.fillRect(left, y(r), wide, tall);
      }
      start = i;
    }
  });
}

function draw() {
  queued = false;
  if (!data) return;
  const { w, h, dpr, g } = size(lanes);
  const { from, to } = shown();
  const x = (us) => ((us - from) / (to - from)) * w;
  const pitch = h / data.rows;
  const tall = Math.max(1, Math.floor(pitch) - (pitch >= 3 ? Math.round(dpr) : 0));
  const y = (row) => Math.round(h - (row + 1) * pitch);
  g.fillStyle = colours.bg;
  g.fillRect(0, 0, w, h);
  if (data.cells) cells(g, data.from_us, data.to_us, data.cells, x, y, tall);
  for (const b of data.bars ?? []) {
    if (b.end_us < from || b.start_us > to) continue;
    const left = Math.round(x(b.start_us));
    const wide = Math.max(Math.round(dpr), Math.round(x(b.end_us)) - left);
    const first = b.failed ? wide : Math.min(wide, Math.round(x(b.first_token_us ?? b.end_us)) - left);
    g.fillStyle = fill(b.failed ? "f" : "t", first, tall);
    g.fillRect(left, y(b.row), first, tall);
    g.fillStyle = colours.g;
    g.fillRect(left + first, y(b.row), wide - first, tall);
  }
  if (selected) {
    g.strokeStyle = colours.accent;
    g.lineWidth = 2 * dpr;
    const left = x(selected.start_us);
    g.strokeRect(left - dpr, y(selected.row) - dpr, Math.max(3 * dpr, x(selected.end_us) - left) + 2 * dpr, tall + 2 * dpr);
  }
  drawBrush();
  const words = `${data.rows * data.lanes_per_row} lanes, ${time(from)} to ${time(to)}`;
  at("b-where").textContent = data.cells ? `${words}, state per cell` : words;
}

function drawBrush() {
  if (!whole) return;
  const { w, h, dpr, g } = size(brush);
  const end = Math.max(1, whole.end_us);
  const x = (us) => (us / end) * w;
  g.fillStyle = colours.bg;
  g.fillRect(0, 0, w, h);
  if (whole.cells) cells(g, whole.from_us, whole.to_us, whole.cells, x, () => Math.round(h / 4), Math.round(h / 2));
  const { from, to } = shown();
  g.strokeStyle = colours.accent;
  g.lineWidth = 2 * dpr;
  g.strokeRect(x(from) + dpr, dpr, Math.max(4 * dpr, x(to) - x(from) - 2 * dpr), h - 2 * dpr);
}

let queued = false;
function redraw() {
  if (!queued) {
    queued = true;
    requestAnimationFrame(draw);
  }
}

let asked = 0;
async function read() {
  const mine = ++asked;
  const wide = Math.min(1200, Math.max(200, Math.round(lanes.clientWidth)));
  const get = async (query) => (await fetch(`/api/runs/${id}/timeline?${query}`)).json();
  const window = view ? `from_us=${Math.round(view.from)}&to_us=${Math.round(view.to)}&` : "";
  try {
    const [part, all] = await Promise.all([
      get(`${window}lanes=${Math.min(120, Math.floor(lanes.clientHeight / 2))}&width=${wide}`),
      view && whole && !live ? whole : get(`lanes=1&width=400`),
    ]);
    if (mine !== asked || !part.rows) return;
    if (selected && !part.bars?.some((b) => b.call === selected.call && b.pass === selected.pass)) selected = null;
    [data, whole] = [part, all];
    redraw();
  } catch {
    // What was read last stays.
  }
}

let later = 0;
function show(from, to) {
  const end = whole?.end_us ?? 1;
  const least = 2000;
  const span = Math.max(least, Math.min(end, to - from));
  const start = Math.max(0, Math.min(end - span, from));
  view = span >= end ? null : { from: start, to: start + span };
  redraw();
  clearTimeout(later);
  later = setTimeout(read, 120);
}

function zoom(factor, share = 0.5) {
  const { from, to } = shown();
  const middle = from + (to - from) * share;
  show(middle - (middle - from) * factor, middle + (to - middle) * factor);
}

function pan(share) {
  const { from, to } = shown();
  show(from + (to - from) * share, to + (to - from) * share);
}

/** The bar there: its row, then by halving, for the bars of a row stand in order. */
function hit(event) {
  const { from, to } = shown();
  const box = lanes.getBoundingClientRect();
  const us = from + ((event.clientX - box.left) / box.width) * (to - from);
  const row = Math.floor(((box.bottom - event.clientY) / box.height) * data.rows);
  const own = (data.bars ?? []).filter((b) => b.row === row).sort((a, b) => a.start_us - b.start_us);
  let [low, high] = [0, own.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (own[middle].end_us < us) low = middle + 1;
    else high = middle;
  }
  const found = own[low];
  const near = ((to - from) / box.width) * 2;
  return { row, us, bar: found && found.start_us <= us + near ? found : null };
}

let named = 0;
async function select(bar) {
  selected = bar;
  redraw();
  const mine = ++named;
  if (!bar) return void (at("b-bar").textContent = "\u00a0");
  const spent = `lane ${bar.row + 1}, ${time(bar.start_us)}, took ${time(bar.end_us - bar.start_us)}`;
  at("b-bar").textContent = spent;
  const answer = await fetch(`/api/runs/${id}/calls?call=${bar.call}&limit=9`);
  const call = (await answer.json()).items?.[bar.pass];
  if (mine === named && call) {
    at("b-bar").textContent = `${call.task}, ${call.document_name || "all documents"}: ${call.error?.message ?? call.status}, ${spent}`;
  }
}

function neighbour(key) {
  const bars = data.bars ?? [];
  const rows = key === "ArrowUp" ? selected.row + 1 : key === "ArrowDown" ? selected.row - 1 : selected.row;
  const own = bars.filter((b) => b.row === rows).sort((a, b) => a.start_us - b.start_us);
  if (rows !== selected.row) {
    return own.reduce((best, b) => (!best || Math.abs(b.start_us - selected.start_us) < Math.abs(best.start_us - selected.start_us) ? b : best), null);
  }
  const place = own.findIndex((b) => b.call === selected.call && b.start_us === selected.start_us);
  return own[place + (key === "ArrowRight" ? 1 : -1)];
}

const KEYS = {
  "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => show(0, Infinity),
  ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), Escape: () => select(null),
  Home: () => pan(-1e9), End: () => pan(1e9),
  Enter: () => select((data.bars ?? []).find((b) => b.end_us >= shown().from) ?? null),
};

function listen() {
  lanes.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !data) return;
    const moves = selected && event.key.startsWith("Arrow");
    if (!moves && !KEYS[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    if (moves) {
      const next = neighbour(event.key);
      if (next) select(next);
    } else KEYS[event.key]();
  });
  lanes.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = lanes.getBoundingClientRect();
    zoom(Math.exp(event.deltaY / 300), (event.clientX - box.left) / box.width);
  }, { passive: false });
  lanes.addEventListener("dblclick", () => show(0, Infinity));
  let held = null;
  lanes.addEventListener("pointerdown", (event) => {
    held = { x: event.clientX, ...shown(), moved: false };
    lanes.setPointerCapture(event.pointerId);
  });
  lanes.addEventListener("pointermove", (event) => {
    if (!data) return;
    if (!held) {
      const { row, us, bar } = hit(event);
      const letter = data.cells?.[row]?.[Math.floor(((us - data.from_us) / (data.to_us - data.from_us)) * data.cells[row].length)];
      if (letter) lanes.title = `Lane ${row * data.lanes_per_row + 1}, ${time(us)}: ${NAMES[letter]}`;
      else lanes.title = bar ? `Lane ${row + 1}, took ${time(bar.end_us - bar.start_us)}` : "";
      return;
    }
    const shift = ((event.clientX - held.x) / lanes.clientWidth) * (held.to - held.from);
    if (Math.abs(event.clientX - held.x) > 3) held.moved = true;
    if (held.moved) show(held.from - shift, held.to - shift);
  });
  lanes.addEventListener("pointerup", (event) => {
    if (held && !held.moved && data) select(hit(event).bar);
    held = null;
  });
  let edge = null;
  const there = (event) => ((event.clientX - brush.getBoundingClientRect().left) / brush.clientWidth) * (whole?.end_us ?? 1);
  brush.addEventListener("pointerdown", (event) => {
    edge = there(event);
    brush.setPointerCapture(event.pointerId);
  });
  brush.addEventListener("pointermove", (event) => {
    if (edge !== null) show(Math.min(edge, there(event)), Math.max(edge, there(event)));
  });
  brush.addEventListener("pointerup", () => (edge = null));
  brush.addEventListener("dblclick", () => show(0, Infinity));
  const again = () => (readColours(), redraw());
  new MutationObserver(again).observe(document.documentElement, { attributes: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  // Another size of pixels comes with another size.
  new ResizeObserver(again).observe(lanes);
}

at("b-canvas").hidden = false;
readColours();
listen();
read();
if (live) setInterval(() => !document.hidden && read(), 2000);
