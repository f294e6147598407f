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
  put(over, value.picture || "");
  put(under, value.content || "");
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
  find(".curves").innerHTML = value.curves || "";
  showProgress(value.progress);
  figure.dataset.updates = 1 + Number(figure.dataset.updates || 0);
}
watch("value", show);
show();
curtain();
zoom("");
