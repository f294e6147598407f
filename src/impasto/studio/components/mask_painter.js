// what stays the photograph, and which style goes where: painted with a brush on the content, or given as files
const { protect: PROTECT, painted: PAINTED, content: CONTENT, labels: LABELS } = props.names;
const painter = find(".mask-painter"), dialog = find("dialog"), surface = find(".picture"), screen = find(".picture canvas");
const small = find(".thumb canvas"), ring = find(".ring"), size = find(".size input"), chooser = find(".file");
const MOST = 20, PAUSE = 500; // strokes that can be undone; milliseconds after a stroke until it is sent
// of each mask that is painted: what it is now and was before, what the server knows of it (known), and what it is to answer
// (waits: "soon" while a stroke is not sent yet, a name when it is, "" when nothing is left of the mask, else null)
const sheets = {};
for (const name of [PROTECT, PAINTED])
  sheets[name] = { canvas: document.createElement("canvas"), before: [], known: "", waits: null, sent: new Set(), timer: 0, rejected: false };
let of = "", given = null, chosen = "protect", closing = false, asked = "";

const value = () => ({ masks: {}, styles: [], ...props.value });
const sheet = () => sheets[chosen === "protect" ? PROTECT : PAINTED];
const pencil = (canvas) => canvas.getContext("2d", { willReadFrequently: true });
const css = (label) => `rgb(${label.join(" ")})`;
const isEmpty = (canvas) => !share(canvas);

// how much of a canvas is painted, or painted with a label
function share(canvas, label) {
  const few = document.createElement("canvas");
  [few.width, few.height] = [128, 128];
  const brush = pencil(few);
  brush.imageSmoothingEnabled = !label;
  brush.drawImage(canvas, 0, 0, 128, 128);
  const { data } = brush.getImageData(0, 0, 128, 128);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4)
    if (!label || nearest(data, i) === label) sum += data[i + 3];
  return sum / 255 / 128 ** 2;
}
// the label of a painted pixel, which at the edge of a stroke is a mixture
function nearest(data, i) {
  const far = (label) => label.reduce((sum, n, k) => sum + (n - data[i + k]) ** 2, 0);
  return LABELS.slice(1).reduce((best, label) => (far(label) < far(best) ? label : best));
}

// what is protected is striped, so that it is known without colours
function stripes() {
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [16, 16];
  const brush = tile.getContext("2d");
  Object.assign(brush, { fillStyle: "rgb(255 255 255 / .62)", strokeStyle: "rgb(176 63 32 / .9)", lineWidth: 4 });
  brush.fillRect(0, 0, 16, 16);
  brush.beginPath();
  for (const x of [-16, 0, 16]) { brush.moveTo(x - 2, 18); brush.lineTo(x + 18, -2); }
  brush.stroke();
  return tile;
}
const STRIPES = stripes();
function draw() {
  const { canvas } = sheets[PROTECT], striped = document.createElement("canvas");
  if (!canvas.width) return;
  [striped.width, striped.height] = [canvas.width, canvas.height];
  const over = striped.getContext("2d");
  over.drawImage(canvas, 0, 0);
  over.globalCompositeOperation = "source-in";
  over.fillStyle = over.createPattern(STRIPES, "repeat");
  over.fillRect(0, 0, canvas.width, canvas.height);
  for (const shown of [screen, small]) { // in the page, and in the painter
    const brush = shown.getContext("2d");
    brush.clearRect(0, 0, shown.width, shown.height);
    brush.globalAlpha = .55;
    brush.drawImage(given || sheets[PAINTED].canvas, 0, 0, shown.width, shown.height);
    brush.globalAlpha = 1;
    brush.drawImage(striped, 0, 0, shown.width, shown.height);
  }
  tell();
}
function tell() {
  const { styles, masks } = value(), percent = (part) => `${Math.max(1, Math.round(100 * part))}%`;
  const kept = share(sheets[PROTECT].canvas), said = [];
  if (kept) said.push(`${percent(kept)} stays the photograph`);
  if (given) said.push("regions by a mask");
  else for (const [number, { name }] of styles.entries()) {
    const part = number && share(sheets[PAINTED].canvas, LABELS[place(number)]);
    if (part) said.push(`${percent(part)} in the style of ${name}`);
  }
  find(".state").textContent = said.join(", ") || "Everywhere";
  find(".do").textContent = said.length ? "Change it" : styles.length > 1 ? "Keep parts, or give each style a part" : "Keep parts of the photograph";
  find(".undo").disabled = !sheet().before.length;
  find(".says").textContent = chosen === "protect" ? "What is striped is not painted at all; around it the painting begins softly."
    : `Where nothing is brushed it takes the style of ${styles[0].name}.`;
}
const place = (number) => props.names.roles.indexOf(value().styles[number].role);

// painting
let at = null, drew = false;
function point(event) {
  const box = surface.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * screen.width, (event.clientY - box.top) / box.height * screen.height];
}
const wide = () => size.value / 100 * Math.max(screen.width, screen.height);
function stroke(event) {
  const brush = pencil(sheet().canvas);
  for (const one of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
    const to = point(one);
    Object.assign(brush, { lineCap: "round", lineJoin: "round", lineWidth: wide() });
    brush.globalCompositeOperation = find("[name=mask-tool]:checked").value === "eraser" || chosen === 0 ? "destination-out" : "source-over";
    brush.strokeStyle = chosen === "protect" ? "#fff" : css(LABELS[place(chosen)]);
    brush.beginPath();
    brush.moveTo(...at);
    brush.lineTo(to[0] + .01, to[1]);
    brush.stroke();
    at = to;
  }
  draw();
}
function remember() {
  const { canvas, before } = sheet();
  before.push(pencil(canvas).getImageData(0, 0, canvas.width, canvas.height));
  if (before.length > MOST) before.shift();
}
surface.addEventListener("pointerdown", (event) => {
  if (event.button || !screen.width) return;
  event.preventDefault();
  surface.setPointerCapture(event.pointerId);
  if (chosen !== "protect" && given) { given = null; trigger("clear", { mask: CONTENT }); }
  remember();
  at = point(event);
  stroke(event);
});
surface.addEventListener("pointermove", (event) => {
  circle(event);
  if (at) stroke(event);
});
for (const name of ["pointerup", "pointercancel"])
  surface.addEventListener(name, () => { if (at) { at = null; send(); } });
surface.addEventListener("pointerleave", () => { ring.hidden = true; });
function circle(event) {
  const box = surface.getBoundingClientRect(), across = wide() * box.width / screen.width;
  ring.hidden = event.pointerType === "touch";
  Object.assign(ring.style, { width: `${across}px`, height: `${across}px`, left: `${event.clientX - box.left}px`, top: `${event.clientY - box.top}px` });
}
function undo() {
  const { canvas, before } = sheet(), last = before.pop();
  if (!last) return;
  pencil(canvas).putImageData(last, 0, 0);
  draw();
  send();
}
find(".undo").addEventListener("click", undo);
dialog.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); undo(); }
});
find(".clear").addEventListener("click", () => {
  if (chosen !== "protect" && given) { given = null; trigger("clear", { mask: CONTENT }); }
  if (isEmpty(sheet().canvas)) return draw();
  remember();
  const { canvas } = sheet();
  pencil(canvas).clearRect(0, 0, canvas.width, canvas.height);
  draw();
  send();
});

// what is painted goes to the server soon after each stroke, so that a reload finds it
function send(name = chosen === "protect" ? PROTECT : PAINTED, soon = PAUSE) {
  const one = sheets[name];
  clearTimeout(one.timer);
  one.waits = "soon";
  one.timer = setTimeout(() => deliver(name), soon);
}
async function deliver(name) {
  const one = sheets[name];
  one.timer = 0;
  one.rejected = false;
  if (isEmpty(one.canvas)) {
    one.waits = "";
    trigger("clear", { mask: name });
    return;
  }
  const token = `painted-${Math.random().toString(36).slice(2)}.png`;
  one.waits = token;
  one.sent.add(token);
  const blob = await new Promise((made) => file(name).toBlob(made, "image/png"));
  try {
    const { path } = await upload(new File([blob], token, { type: "image/png" }));
    if (one.waits === token) trigger("upload", { path, name: token, mask: name });
  } catch {
    one.waits = null;
    say("what was painted could not be sent; is the studio still running?");
  }
}
function file(name) {
  const { canvas } = sheets[name], made = document.createElement("canvas");
  [made.width, made.height] = [canvas.width, canvas.height];
  const brush = pencil(made);
  brush.fillStyle = name === PROTECT ? "#000" : css(LABELS[0]);
  brush.fillRect(0, 0, made.width, made.height);
  if (name === PROTECT) brush.drawImage(canvas, 0, 0);
  else { // labels have no soft edges
    const painted = pencil(canvas).getImageData(0, 0, made.width, made.height).data;
    const all = brush.getImageData(0, 0, made.width, made.height);
    for (let i = 0; i < painted.length; i += 4)
      if (painted[i + 3] > 127) nearest(painted, i).forEach((n, k) => { all.data[i + k] = n; });
    brush.putImageData(all, 0, 0);
  }
  return made;
}

// files, which can be given without a mouse
chooser.addEventListener("change", async () => {
  const [one] = chooser.files;
  chooser.value = "";
  if (!one) return;
  say("");
  try {
    const { path } = await upload(one);
    for (const kept of Object.values(sheets)) { clearTimeout(kept.timer); kept.timer = 0; kept.waits = null; }
    trigger("upload", { path, name: one.name, mask: asked });
  } catch { say(`${one.name} could not be sent; it may be too large, or the studio not running`); }
});
function fileRow({ mask, words }) {
  const row = document.createElement("li"), give = document.createElement("button"), has = value().masks[mask];
  give.type = "button";
  give.dataset.mask = mask;
  give.textContent = words;
  give.setAttribute("aria-label", `Give a file: ${words}`);
  give.addEventListener("click", () => { asked = mask; chooser.click(); });
  row.append(give);
  if (has && !has.name.startsWith("painted-")) {
    const name = document.createElement("span"), away = document.createElement("button");
    name.textContent = has.name;
    Object.assign(away, { type: "button", className: "away", textContent: "×", title: `Take ${has.name} away` });
    away.setAttribute("aria-label", away.title);
    away.addEventListener("click", () => trigger("clear", { mask }));
    row.append(name, away);
  }
  return row;
}
function fileRows() {
  const { styles, masks } = value(), list = find(".files ul");
  const rows = [{ mask: PROTECT, words: "What stays, in white" }, { mask: CONTENT, words: "Regions of the content" },
    ...styles.map(({ role, name }) => ({ mask: role, words: `Regions of ${name}` }))];
  const names = JSON.stringify([rows, Object.entries(masks).map(([mask, { name }]) => [mask, name])]);
  if (list.dataset.of === names) return;
  list.dataset.of = names;
  const focused = document.activeElement?.dataset?.mask;
  list.replaceChildren(...rows.map(fileRow));
  if (focused) find(`.files [data-mask="${focused}"]`)?.focus();
}
function labelRows() {
  const { styles } = value(), choices = [{ key: "protect", words: "stays the photograph" }];
  if (styles.length > 1) for (const [key, { name }] of styles.entries()) choices.push({ key, words: `takes the style of ${name}` });
  if (!choices.some(({ key }) => key === chosen)) chosen = "protect";
  const names = JSON.stringify(choices), place_ = find(".labels");
  if (place_.dataset.of !== names) {
    place_.dataset.of = names;
    for (const old of place_.querySelectorAll("label")) old.remove();
    place_.append(...choices.map(({ key, words }) => {
      const label = document.createElement("label"), input = document.createElement("input");
      const swatch = document.createElement("i"), text = document.createElement("span");
      Object.assign(input, { type: "radio", name: "mask-label", value: key, checked: key === chosen });
      input.addEventListener("change", () => { chosen = key; tell(); });
      if (key === "protect") swatch.style.backgroundImage = `url(${STRIPES.toDataURL()})`;
      else if (key) swatch.style.background = css(LABELS[place(key)]);
      text.textContent = words;
      label.append(input, swatch, text);
      return label;
    }));
  }
}

function say(error) { for (const place of element.querySelectorAll(".error")) place.textContent = error || ""; }
find(".open").addEventListener("click", () => {
  closing = false;
  find(".told").textContent = "";
  dialog.showModal();
});
// it closes when the server has what was painted, so that it is painted with
function close() {
  for (const [name, one] of Object.entries(sheets)) if (one.rejected) load(name);
  const open = Object.entries(sheets).filter(([, one]) => one.waits !== null);
  for (const [name, one] of open) if (one.timer) { clearTimeout(one.timer); deliver(name); }
  closing = open.length > 0;
  painter.toggleAttribute("data-busy", true);
  if (!closing) rest(true);
}
find(".done").addEventListener("click", close);
dialog.addEventListener("cancel", (event) => {
  if (event.target !== dialog) return; // a chooser of files that was left
  event.preventDefault();
  close();
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) close(); });

// what the server has of a mask
async function load(name) {
  const one = sheets[name], brush = pencil(one.canvas), { width, height } = one.canvas;
  const { id = "", picture = "" } = value().masks[name] || {};
  clearTimeout(one.timer);
  Object.assign(one, { before: [], known: id, waits: null, rejected: false });
  brush.clearRect(0, 0, width, height);
  if (picture) {
    const image = new Image();
    image.src = picture;
    try { await image.decode(); } catch { return; }
    brush.globalCompositeOperation = "source-over";
    brush.imageSmoothingEnabled = name === PROTECT;
    brush.drawImage(image, 0, 0, width, height);
    const all = brush.getImageData(0, 0, width, height), { data } = all, base = LABELS[0];
    for (let i = 0; i < data.length; i += 4)
      if (name === PROTECT) { data[i + 3] = data[i]; data[i] = data[i + 1] = data[i + 2] = 255; }
      else if (base.every((n, k) => Math.abs(n - data[i + k]) < 8)) data[i + 3] = 0;
    brush.putImageData(all, 0, 0);
  }
  draw();
}
async function show() {
  const now = { of: "", ...value() }, another = of !== now.of;
  of = now.of;
  painter.toggleAttribute("data-empty", !now.picture);
  if (now.told || another) find(".told").textContent = now.told || ""; // it stays until there is something to paint on anew
  if (!now.picture) return;
  if (another) {
    for (const image of element.querySelectorAll("img")) image.src = now.picture;
    for (const canvas of [screen, sheets[PROTECT].canvas, sheets[PAINTED].canvas]) [canvas.width, canvas.height] = [now.width, now.height];
    [small.width, small.height] = [Math.round(now.width / 4), Math.round(now.height / 4)];
    painter.style.setProperty("--ratio", now.width / now.height);
  }
  labelRows();
  fileRows();
  say(now.error);
  if (now.masks[CONTENT]) {
    const image = new Image();
    image.src = now.masks[CONTENT].picture;
    try { await image.decode(); given = image; } catch { given = null; }
  } else given = null;
  for (const [name, one] of Object.entries(sheets)) {
    const there = now.masks[name]?.id || "";
    if (another) await load(name);
    else if (now.wrong === name && one.waits !== "soon") { // what was painted stays to be changed, and the dialog open
      one.rejected = true;
      one.waits = null;
      rest(false);
    } else if (one.waits === there) { one.waits = null; one.known = there; }
    else if (one.waits === null && there !== one.known && !one.sent.has(there)) await load(name);
  }
  draw();
  if (closing && Object.values(sheets).every((one) => one.waits === null)) rest(true);
}
function rest(shut) {
  closing = false;
  painter.toggleAttribute("data-busy", false);
  if (shut) dialog.close();
}
watch("value", show);
show();
