// the layers of the network, shallow to deep, and the units of one, each as the patch that excites it most
const number = find(".number");
let layers = "";

const go = (change) => {
  const { layer, first, unit } = { ...props.value, ...change };
  trigger("select", { layer, first, unit });
};

function button(text, pressed, click) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.ariaPressed = String(pressed);
  made.addEventListener("click", click);
  return made;
}

find(".back").addEventListener("click", () => go({ first: Math.max(0, props.value.first - props.value.count) }));
find(".on").addEventListener("click", () => go({ first: props.value.first + props.value.count }));
number.addEventListener("change", () => {
  const unit = Math.min(Math.max(0, Math.round(number.value)), props.value.units - 1);
  go({ unit, first: unit - unit % props.value.count });
});

// arrows walk over the sheet, which has six columns
find(".sheet").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -6, ArrowDown: 6 }[event.key];
  const all = [...find(".sheet").children], next = all[all.indexOf(event.target) + step];
  if (next) { event.preventDefault(); next.focus(); }
});

function show() {
  const value = props.value || {};
  element.querySelector(".unit-browser").toggleAttribute("data-empty", !value.layers);
  if (!value.layers) return;
  const blocks = {};
  for (const layer of Object.keys(value.layers)) (blocks[layer.replace(/_.*/, "")] ||= []).push(layer);
  if (layers !== JSON.stringify(value.layers)) {
    layers = JSON.stringify(value.layers);
    find(".layers").replaceChildren(...Object.entries(blocks).map(([block, names]) => {
      const group = document.createElement("div");
      group.append(...names.map((name) => {
        const made = button(name, false, () => go({ layer: name, first: 0, unit: null }));
        made.dataset.layer = name;
        return made;
      }));
      return group;
    }));
  }
  for (const made of find(".layers").querySelectorAll("button")) made.ariaPressed = String(made.dataset.layer === value.layer);
  const last = Math.min(value.first + value.count, value.units);
  find(".range").textContent = `${value.first}–${last - 1} of ${value.units}`;
  find(".back").disabled = value.first === 0;
  find(".on").disabled = last >= value.units;
  number.max = value.units - 1;
  if (document.activeElement !== number) number.value = value.unit; // not while somebody writes
  const there = find(".sheet").querySelectorAll("button");
  const same = there.length === value.sheet.length && find(".sheet").dataset.of === value.key + value.layer + value.first;
  if (!same) {
    find(".sheet").dataset.of = value.key + value.layer + value.first;
    find(".sheet").replaceChildren(...value.sheet.map((one) => {
      const made = button("", false, () => go({ unit: one.unit }));
      made.dataset.unit = one.unit;
      made.title = made.ariaLabel = `unit ${one.unit}` + (one.picture ? "" : ", silent");
      if (one.picture) made.style.backgroundImage = `url(${one.picture})`;
      return made;
    }));
  }
  for (const made of find(".sheet").children) made.ariaPressed = String(Number(made.dataset.unit) === value.unit);
}
watch("value", show);
show();
