// the layers of the network, shallow to deep, and a page of the units of one, each as the nine patches that excite it most
const sought = find(".find"), order = find(".order");
let layers = "";

const go = (change) => {
  const { layer, first, unit, order, find } = { ...props.value, ...change };
  trigger("select", { layer, first, unit, order, find });
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
order.addEventListener("change", () => go({ order: order.value, first: 0, unit: null }));
sought.addEventListener("change", () => go({ find: sought.value, first: 0, unit: null }));

// arrows walk over the sheet
find(".sheet").addEventListener("keydown", (event) => {
  const columns = getComputedStyle(find(".sheet")).gridTemplateColumns.split(" ").length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  const all = [...find(".sheet").children], next = all[all.indexOf(event.target) + step];
  if (next) { event.preventDefault(); next.focus(); }
});

function block({ unit, picture, best }) {
  const made = button("", false, () => {
    go({ unit });
    // on a phone what is looked at is far below
    if (matchMedia("(max-width: 820px)").matches) document.querySelector("#unit-patches")?.scrollIntoView({ behavior: "smooth" });
  });
  made.dataset.unit = unit;
  made.title = best ? `the best patch excites unit ${unit} by ${best}` : `nothing in these pictures excites unit ${unit}`;
  const patches = document.createElement("span"), name = document.createElement("span");
  patches.className = "nine";
  if (picture) patches.style.backgroundImage = `url(${picture})`;
  name.textContent = `unit ${unit}${best ? "" : " · silent"}`;
  made.append(patches, name);
  return made;
}

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
    order.replaceChildren(...Object.entries(value.orders).map(([name, words]) => new Option(words, name)));
  }
  for (const made of find(".layers").querySelectorAll("button")) made.ariaPressed = String(made.dataset.layer === value.layer);
  find(".about").textContent = value.about;
  const last = Math.min(value.first + value.count, value.units);
  find(".range").textContent = value.units ? `${value.first + 1}–${last} of ${value.units}` : "none";
  find(".back").disabled = value.first === 0;
  find(".on").disabled = last >= value.units;
  order.value = value.order;
  if (document.activeElement !== sought) sought.value = value.find; // not while somebody writes
  find(".none").textContent = value.told;
  const of = value.key + value.layer + value.sheet.map((one) => one.unit);
  if (find(".sheet").dataset.of !== of) {
    find(".sheet").dataset.of = of;
    find(".sheet").replaceChildren(...value.sheet.map(block));
  }
  for (const made of find(".sheet").children) made.ariaPressed = String(Number(made.dataset.unit) === value.unit);
}
watch("value", show);
show();
