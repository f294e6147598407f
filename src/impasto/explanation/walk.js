// a picture on its way through the network: a layer is chosen, and a channel of it
async function walk(root, data) {
  const at = (name) => root.querySelector(`[data-place="${name}"]`);
  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const loaded = (address) => { const image = new Image(); image.src = address; return image.decode().then(() => image); };
  const picture = await loaded(data.picture), sheets = await Promise.all(data.steps.map((step) => loaded(step.maps)));
  const [, height, width] = data.shape, values = (shape) => shape.reduce((product, n) => product * n, 1);
  const chosen = { step: 0, channel: 0 };
  const WORDS = { relu: "a convolution, then its positive part", pool: "pooling: the largest of each four", conv: "a convolution, before its positive part is taken" };

  function tile(canvas, step, i, wide, dense) {
    const { tile: [h, w], columns } = data.steps[step];
    canvas.width = Math.round(wide * dense); canvas.height = Math.round(wide * dense * height / width);
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = canvas.width / w < 6;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(sheets[step], i % columns * w, Math.floor(i / columns) * h, w, h, 0, 0, canvas.width, canvas.height);
  }
  function drawLarge() {
    const step = data.steps[chosen.step], dense = Math.min(devicePixelRatio || 1, 2), place = at("large");
    tile(place, chosen.step, chosen.channel, place.parentElement.clientWidth || 300, dense);
    const ground = at("picture");
    ground.width = Math.round((ground.parentElement.clientWidth || 300) * dense); ground.height = Math.round(ground.width * height / width);
    const pen = ground.getContext("2d"), scale = ground.width / width;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, ground.width, ground.height);
    // the field in the middle, and one position of the layer in it
    const side = Math.min(step.field ?? Math.max(width, height), 2 * Math.max(width, height)), box = (w, h, colour, thick) => {
      pen.strokeStyle = "rgba(0,0,0,.55)"; pen.lineWidth = (thick + 2) * dense;
      pen.strokeRect((width - w) / 2 * scale, (height - h) / 2 * scale, w * scale, h * scale);
      pen.strokeStyle = colour; pen.lineWidth = thick * dense;
      pen.strokeRect((width - w) / 2 * scale, (height - h) / 2 * scale, w * scale, h * scale);
    };
    box(side, side, "#ff6a3d", 2);
    const number = step.channels[chosen.channel];
    ground.setAttribute("aria-label", `the picture, with the field of ${step.layer}`);
    place.setAttribute("aria-label", `channel ${number} of ${step.layer}`);
    at("picture-caption").replaceChildren(make("b", {}, "the picture"), step.field === null ? " every position sees all of it"
      : ` outlined: what one position of ${step.layer} sees, ${step.field} × ${step.field} pixels${step.field > Math.max(width, height) ? ", more than there is" : ""}`);
    at("large-caption").replaceChildren(make("b", {}, `channel ${number}`), ` of ${step.layer}: at most ${tidy(step.peaks[chosen.channel])}, on average ${tidy(step.means[chosen.channel])}`);
    for (const button of at("channels").children) button.setAttribute("aria-pressed", String(Number(button.dataset.i) === chosen.channel));
  }
  function drawStep() {
    const step = data.steps[chosen.step], [channels, h, w] = step.shape;
    for (const [i, one] of [...at("ladder").children].entries()) {
      one.setAttribute("aria-selected", String(i === chosen.step));
      if (i === chosen.step) {
        at("ladder").setAttribute("aria-activedescendant", one.id);
        const box = at("ladder"), top = one.offsetTop - box.offsetTop;
        if (top < box.scrollTop || top + one.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 2;
        if (box.scrollWidth > box.clientWidth) box.scrollLeft = one.offsetLeft - box.offsetLeft - box.clientWidth / 2;
      }
    }
    at("title").textContent = step.layer;
    const before = values(data.shape), now = values(step.shape);
    at("words").textContent = `${WORDS[step.operation] ? `${WORDS[step.operation][0].toUpperCase()}${WORDS[step.operation].slice(1)}. ` : ""}n_C = ${channels} channels of ${w} × ${h} positions: `
      + `${now.toLocaleString("en")} values, ${tidy(now / before)} times those of the picture, of which ${tidy(100 * step.active)}% are above 0.`;
    at("channels-title").textContent = `The ${step.channels.length} most active of ${channels} channels`;
    at("channels").replaceChildren(...step.channels.map((number, i) => {
      const canvas = make("canvas"), button = make("button", { type: "button", "data-i": i, "aria-label": `channel ${number}` }, canvas, String(number));
      tile(canvas, chosen.step, i, 96, 1.5);
      button.addEventListener("click", () => { chosen.channel = i; drawLarge(); });
      return button;
    }));
    drawLarge();
  }
  const go = (step) => {
    const number = data.steps[chosen.step].channels[chosen.channel];
    chosen.step = Math.min(data.steps.length - 1, Math.max(0, step));
    chosen.channel = Math.max(0, data.steps[chosen.step].channels.indexOf(number));
    drawStep();
  };
  const most = Math.max(...data.steps.map((step) => step.shape[0])), tall = Math.max(height, width);
  at("ladder").replaceChildren(...data.steps.map((step, i) => {
    // as a block: as wide as it has channels, as tall as it has positions
    const block = make("i"), [channels, h, w] = step.shape;
    block.style.width = `${8 + 52 * Math.sqrt(channels / most)}px`; block.style.height = `${Math.max(3, 34 * Math.sqrt(Math.max(h, w) / tall))}px`;
    const one = make("div", { role: "option", id: `step-${i}`, "data-operation": step.operation }, make("span", { class: "block" }, block), make("span", {}, make("b", {}, step.layer), make("small", {}, `${channels} × ${h} × ${w}`)));
    one.addEventListener("click", () => { at("ladder").focus({ preventScroll: true }); go(i); });
    return one;
  }));
  at("ladder").addEventListener("keydown", (event) => {
    const to = { ArrowDown: chosen.step + 1, ArrowRight: chosen.step + 1, ArrowUp: chosen.step - 1, ArrowLeft: chosen.step - 1, Home: 0, End: data.steps.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    go(to);
  });
  root.querySelector(".about").textContent = `${data.name}, ${width} × ${height} pixels, goes through ${data.network}, as it was trained. Choose a layer, or go up and down with the arrow keys.`;
  let seen = 0;
  new ResizeObserver(() => { if (root.clientWidth && root.clientWidth !== seen) { seen = root.clientWidth; drawLarge(); } }).observe(root);
  drawStep();
  root.dataset.ready = "";
}
