// the lecture in the studio: what it is computed with, and what can be done with it
const PARTS = { pictures: "looking at both", content: "part 5, the content cost", layers: "part 7, the style of each layer", balance: "part 3, α and β",
  matrices: "part 6, the style matrices", descent: "part 4, from noise, downhill", series: "part 8, your series", volume: "part 8, your volume" };
const soon = async (name) => {
  for (let tries = 0; tries < 100; tries++) {
    const found = document.querySelector(name);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

// the other tab is opened, and what was asked for is chosen there as one would
async function openUnit(layer, unit) {
  [...document.querySelectorAll("#tabs [role=tab]")].find((tab) => tab.textContent.trim() === "Explore")?.click();
  const button = await soon(`#unit-browser button[data-layer="${layer}"]`);
  button?.click();
  if (!button || unit === undefined) return;
  await soon(`#unit-browser button[data-layer="${layer}"][aria-pressed="true"]`);
  const sought = await soon("#unit-browser .find");
  if (sought) { sought.value = unit; sought.dispatchEvent(new Event("change", { bubbles: true })); }
  (await soon(`#unit-browser .sheet button[data-unit="${unit}"]`))?.click();
}

const page = lecture(find(".lecture"), openUnit);
let of = null, parts = {}, told;

for (const name of ["begin", "stop"]) find(`.${name}`).addEventListener("click", () => trigger({ begin: "submit", stop: "stop" }[name]));
find(".print").addEventListener("click", () => window.print());
find(".save").addEventListener("click", () => {
  const script = (value) => JSON.stringify(value).replaceAll("<", "\\u003c"), value = props.value || {};
  const text = props.shell.replace("/*PARTS*/null", () => script(parts)).replace("/*ABOUT*/null", () => script(told || ""));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/html" }));
  link.download = `${value.file || "lecture"}.html`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
});

function put(image, address, name) {
  if (image.getAttribute("src") !== (address || null)) { if (address) image.src = address; else image.removeAttribute("src"); }
  image.alt = address ? name : "";
}

function show() {
  const value = props.value || {};
  if (value.of !== undefined && value.of !== of) { of = value.of; parts = {}; page.clear(); }
  const news = Object.fromEntries(Object.entries(value.parts || {}).filter(([name, figures]) => JSON.stringify(parts[name]) !== JSON.stringify(figures)));
  if (Object.keys(news).length || (value.about ?? told) !== told) {
    parts = { ...parts, ...news };
    told = value.about ?? told;
    page.show(news, told);
  }
  for (const role of ["content", "style"]) put(find(`.thumbs .${role}`), value[role], `your ${role}`);
  find(".thumbs").hidden = !value.content;
  find(".pair").hidden = !value.content && !value.hint;
  find(".begin").hidden = !value.begin;
  find(".begin").textContent = value.begin || "";
  find(".stop").hidden = !value.busy;
  find(".save").disabled = find(".print").disabled = Boolean(value.busy) || !("pictures" in parts);
  find(".hint").textContent = value.hint || "";
  find(".note").textContent = value.note || "";
  find(".error").textContent = value.error || "";
  find(".lecture-bar").toggleAttribute("data-busy", Boolean(value.busy));
  find(".live").hidden = !value.live;
  put(find(".live img"), value.live, "G, as it is now");
  find(".live figcaption").textContent = value.live ? `G now: ${PARTS[value.working] || ""}` : "";
  showProgress(value.progress);
}
watch("value", show);
show();
