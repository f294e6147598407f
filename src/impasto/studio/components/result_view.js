// the markup stays; what changes is put into it, so that no update of the picture flickers
const figure = find(".result-view"), frame = find(".frame"), over = find(".over"), under = find(".under");
const compare = find(".compare");

function curtain() {
  frame.style.setProperty("--curtain", compare.value + "%");
  figure.toggleAttribute("data-compared", compare.value > 0);
}
compare.addEventListener("input", curtain);

const zooms = [...element.querySelectorAll(".zoom button")];
function zoom(chosen) {
  figure.dataset.zoom = chosen;
  figure.style.setProperty("--zoom", chosen || 1);
  for (const one of zooms) one.ariaPressed = String(one.dataset.zoom === chosen);
}
for (const one of zooms) one.addEventListener("click", () => zoom(one.dataset.zoom));

async function put(image, address) {
  if (image.dataset.address === address) return;
  image.dataset.address = address;
  if (!address) { image.removeAttribute("src"); return; }
  const next = new Image();
  next.src = address;
  try { await next.decode(); } catch { return; }
  if (image.dataset.address !== address) return;
  image.src = address;
  if (image === over || (image === under && !over.dataset.address)) {
    figure.style.setProperty("--ratio", next.naturalWidth / next.naturalHeight);
    figure.style.setProperty("--natural", ((props.value || {}).natural || next.naturalWidth) + "px");
  }
}

// they stay while they play
function players(sounds) {
  const of = JSON.stringify(sounds), place = find(".players");
  if (place.dataset.of === of) return;
  place.dataset.of = of;
  place.replaceChildren(...sounds.flatMap(({ name, address }) => {
    const label = document.createElement("span"), audio = document.createElement("audio");
    label.textContent = name;
    audio.controls = true;
    audio.preload = "none";
    audio.src = address;
    audio.setAttribute("aria-label", name);
    return [label, audio];
  }));
}

// J and its terms, each by its name
const KINDS = { J: "J", content: "content", style: "style", "content cost": "content", "style cost": "style" };
function curves({ names = [], rows = [], breaks, iterations, log, said } = {}) {
  let others = 0;
  const lines = names.map((name, i) => {
    const last = rows.at(-1)[i + 1];
    return { name, kind: KINDS[name] ?? `other-${others++ % 4}`, told: Number.isFinite(last) ? tidy(last) : undefined, values: rows.map((row) => [row[0], row[i + 1]]) };
  });
  drawChart(find(".curves"), { lines, breaks, x: { label: "evaluations", low: 1, high: iterations }, y: { label: "J and its terms", log }, height: 210 });
  find(".jumps").textContent = said || "";
}

// the lines of a series or a sound, the result over the content
function traces({ x, length, said, panels = [] } = {}, alone) {
  const place = find(".panels");
  find(".traces").hidden = !panels.length;
  figure.toggleAttribute("data-lines", Boolean(alone && panels.length));
  while (place.children.length > panels.length) place.lastChild.remove();
  panels.forEach((panel, i) => {
    const cell = place.children[i] ?? place.appendChild(document.createElement("section"));
    if (!cell.firstChild) cell.innerHTML = '<h3></h3><div class="chart"></div>';
    cell.firstChild.textContent = [panel.name, said].filter(Boolean).join(" · ");
    const lines = ["content", "result"].map((role) => ({ name: role, kind: role === "content" ? "content under" : role,
      values: panel[role].values.map((value, at) => [at / panel[role].rate, value]) }));
    drawChart(cell.lastChild, { lines, x: { label: x, low: 0, high: length }, y: { label: panel.unit }, height: panels.length > 1 ? 190 : 300, key: false });
  });
}

// a volume, slice by slice: what is drawn of the sheets is put where a picture would be
const slider = find(".slice"), sheets = new Map();
let axis = null, slices = [];
function loaded(address) {
  if (!sheets.has(address)) {
    for (const old of sheets.keys()) if (old.split("?")[0] === address.split("?")[0]) sheets.delete(old);
    const image = new Image();
    image.src = address;
    sheets.set(address, image.decode().then(() => image));
  }
  return sheets.get(address);
}
function choose(number, share) {
  axis = number;
  const { content } = slices[axis];
  slider.max = content.count - 1;
  slider.value = Math.round((share ?? 0.5) * slider.max);
  drawSlices();
}
async function drawSlices() {
  const { name, count, content, ...of } = slices[axis], share = slider.value / Math.max(1, slider.max);
  const number = Math.min(count, Math.round(share * (count - 1)) + 1), text = `${name}, slice ${number} of ${count}`;
  find(".slice-words").textContent = text;
  slider.setAttribute("aria-valuetext", text);
  for (const button of find(".axes").children) button.ariaPressed = String(button.textContent === name);
  for (const [image, sheet] of [[under, content], [over, of.result]]) {
    const from = await loaded(sheet.address).catch(() => null);
    if (!from) continue;
    const canvas = document.createElement("canvas");
    canvas.width = 560;
    canvas.height = Math.round(560 * content.aspect);
    drawSlice(canvas, from, Math.round(share * (sheet.count - 1)), sheet);
    await put(image, canvas.toDataURL("image/jpeg", 0.92));
  }
}
function showSlices(found) {
  const before = slices.map(({ name }) => name).join(), names = (found || []).map(({ name }) => name);
  slices = found || [];
  find(".slices").hidden = !slices.length;
  if (!slices.length) { axis = null; return; }
  if (names.join() !== before) {
    find(".axes").replaceChildren(...names.map((name, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => choose(i));
      return button;
    }));
    axis = null;
  }
  if (axis === null) choose(names.length - 1); else drawSlices();
}
slider.addEventListener("input", drawSlices);

// several runs side by side; the cells stay, so that no update of a picture flickers
function cell(id) {
  const made = document.createElement("div");
  made.className = "cell";
  made.dataset.run = id;
  made.innerHTML = '<button class="open" type="button"><img alt=""></button><p><b></b> <small></small> <a hidden>Download</a></p>';
  made.querySelector(".open").addEventListener("click", () => trigger("select", { id }));
  return made;
}
function sheet(runs) {
  const place = find(".sheet");
  figure.toggleAttribute("data-sheet", runs.length > 0);
  place.style.setProperty("--many", runs.length);
  const there = new Map([...place.children].map((one) => [one.dataset.run, one]));
  if (runs.map((run) => run.id).join() !== [...there.keys()].join())
    place.replaceChildren(...runs.map((run) => there.get(run.id) || cell(run.id)));
  for (const [number, run] of runs.entries()) {
    const one = place.children[number], link = one.querySelector("a");
    put(one.querySelector("img"), run.picture);
    one.querySelector(".open").setAttribute("aria-label", `Show ${run.title} alone`);
    one.querySelector("b").textContent = run.title;
    one.querySelector("small").textContent = run.note;
    link.hidden = !run.download;
    if (run.download) Object.assign(link, { href: run.download.address, download: run.download.name });
  }
}

// the button that was pressed is gone, and one that has come in its place takes the focus
let acted = false;
for (const name of ["click", "focusin"])
  document.addEventListener(name, (event) => { acted = Boolean(event.target.closest("#actions")); });
function focusAction() {
  if (!acted) return;
  setTimeout(() => {
    if (document.activeElement !== document.body) return;
    [...document.querySelectorAll("#actions :is(button, a)")].find((one) => one.offsetParent)?.focus({ preventScroll: true });
  }, 200);
}

// who has been here before is shown no example while their own painting is on its way
let before = Boolean(localStorage.getItem("impasto-visitor"));
function show() {
  const value = (!(before && props.value?.example) && props.value) || {};
  before = false;
  const drawn = value.figure || {};
  if (!drawn.slices) {
    put(over, value.picture || "");
    put(under, value.content || "");
  }
  showSlices(drawn.slices);
  traces(drawn.traces, drawn.alone);
  over.alt = value.picture ? "the painting" : "";
  under.alt = value.content ? "the content" : "";
  figure.toggleAttribute("data-empty", !value.picture && !value.content && !(value.sheet || []).length);
  figure.toggleAttribute("data-painted", Boolean(value.picture));
  if (value.busy && !figure.hasAttribute("data-busy") && figure.getBoundingClientRect().top > innerHeight * .6)
    figure.scrollIntoView({ behavior: "smooth" });
  if (Boolean(value.busy) !== figure.hasAttribute("data-busy")) focusAction();
  figure.toggleAttribute("data-busy", Boolean(value.busy));
  find(".caption").setAttribute("aria-live", value.busy ? "off" : "polite"); // no reader of screens wants every number
  if (!value.picture && compare.value > 0) { compare.value = 0; curtain(); }
  find(".hint").textContent = value.hint || "";
  find(".about").textContent = value.about || "";
  if (value.natural) figure.style.setProperty("--natural", value.natural + "px");
  figure.toggleAttribute("data-example", Boolean(value.example));
  sheet(value.sheet || []);
  if (find(".caption").textContent !== value.caption) find(".caption").textContent = value.caption || "";
  players(value.sounds || []);
  curves(value.curves);
  showProgress(value.progress);
  figure.dataset.updates = 1 + Number(figure.dataset.updates || 0);
}
watch("value", show);
show();
let width = 0; // of what the charts are drawn for
new ResizeObserver(() => {
  const now = figure.clientWidth, value = props.value || {};
  if (!now || now === width) return;
  width = now;
  curves(value.curves);
  traces(value.figure?.traces, value.figure?.alone);
}).observe(figure);
curtain();
zoom("");
