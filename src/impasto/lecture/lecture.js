// the lecture on its page: figures are put where the page has a place for them, and follow what is chosen
function lecture(root, openUnit) {
  let parts = {};
  const chosen = { patches: "relu3_1", content: "relu4_2", matrix: "relu3_1", channels: [0, 1], axis: 0 };
  const one = (name) => root.querySelector(name);
  const all = (name) => [...root.querySelectorAll(name)];
  const at = (name) => one(`[data-place="${name}"]`);
  const slide = (name) => one(`[data-slide="${name}"]`);
  const words = (name, text) => {
    if (at(name).dataset.text === text) return;
    at(name).dataset.text = text;
    at(name).replaceChildren(...withSubscripts(text));
  };
  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const put = (image, address, alt) => {
    if (image.getAttribute("src") !== (address ?? null)) { if (address) image.src = address; else image.removeAttribute("src"); }
    if (alt !== undefined) image.alt = address ? alt : "";
  };
  const follow = (path) => path.split(".").reduce((value, name) => value?.[name], parts);
  const share = (value) => (value > 0 && value < 0.001 ? "less than 0.1%" : `${tidy(100 * value)}%`);

  // a row of buttons, of which one is pressed
  function choose(place, options, pressed, act, picture) {
    const row = at(place), key = JSON.stringify(options) + (picture ? options.map((name) => (picture(name) ?? "").length) : "");
    row.classList.toggle("pictures", Boolean(picture));
    if (row.dataset.of !== key) {
      row.dataset.of = key;
      row.replaceChildren(...options.map((name) => {
        const button = make("button", { type: "button", "data-name": name });
        if (picture) { const image = make("img", { alt: "" }); put(image, picture(name)); button.append(image); }
        button.append(name);
        button.addEventListener("click", () => act(name));
        return button;
      }));
    }
    for (const button of row.children) button.setAttribute("aria-pressed", String(button.dataset.name === pressed));
  }

  // 2: nine patches per unit
  function nine(layer, figures) {
    return figures.units.map(({ unit, picture }) => {
      const image = make("img", { alt: `the nine patches that excite unit ${unit} of ${layer} most`, src: picture, loading: "lazy" });
      const button = make("button", { type: "button", "aria-label": `Unit ${unit} of ${layer} in Explore` }, image);
      button.addEventListener("click", () => openUnit?.(layer, unit));
      return make("figure", {}, openUnit ? button : image, make("figcaption", {}, `unit ${unit}`));
    });
  }
  function drawPatches(whole = false) {
    const figures = parts.patches;
    if (!figures) return;
    const names = Object.keys(figures.layers), layer = names.includes(chosen.patches) ? chosen.patches : names[0];
    const field = (name) => figures.layers[name].field;
    choose("patch-layers", names, layer, (name) => { chosen.patches = name; drawPatches(); });
    at("patches").toggleAttribute("data-all", whole);
    at("patches").replaceChildren(...(whole ? names : [layer]).flatMap((name) => [make("h3", {}, name), ...nine(name, figures.layers[name])]));
    words("patch-words", `${layer}: layer ${names.indexOf(layer) + 1} of these ${names.length}. It has ${figures.layers[layer].channels} units, and each sees `
      + `${field(layer)} × ${field(layer)} pixels. Nine of them, each with its nine best patches in ${figures.photographs} pictures: first edges and plain colours, then textures, `
      + "then round things and eyes, then faces, cups, whole scenes. Where a field reaches beyond the picture, nothing is drawn.");
  }

  // 3: alpha and beta
  function drawBalance() {
    const figures = parts.balance;
    if (!figures) return;
    const alpha = figures.alphas[slide("alpha").value], beta = figures.betas[slide("beta").value];
    const nameOf = (a, b) => (a && b ? String(Number((b / a).toPrecision(6))) : a ? "content" : b ? "style" : "none");
    const told = { none: "α = β = 0", content: "β = 0", style: "α = 0" };
    const label = (name) => told[name] ?? `β/α = ${name}`;
    const name = nameOf(alpha, beta), found = figures.pictures[name];
    words("alpha", String(alpha)); words("beta", String(beta));
    slide("alpha").setAttribute("aria-valuetext", alpha); slide("beta").setAttribute("aria-valuetext", beta);
    put(at("balance"), found?.picture, `G for ${label(name)}`);
    words("balance-caption", `G for ${label(name)}`);
    if (found) words("balance-words", `J(G) = ${alpha} · ${tidy(found.content)} + ${beta} · ${tidy(found.style)} = ${tidy(alpha * found.content + beta * found.style)}`);
    const order = ["none", "content", ...Object.keys(figures.pictures).filter((one) => !(one in told)).sort((a, b) => a - b), "style"];
    strip("balance-strip", order.filter((one) => one in figures.pictures).map((one) => [one, figures.pictures[one].picture, label(one)]), name, (one) => {
      const pairs = figures.alphas.flatMap((a, i) => figures.betas.map((b, j) => [nameOf(a, b), i, j, a === 1 || !a ? 0 : 1]));
      const [, i, j] = pairs.filter(([its]) => its === one).sort((p, q) => p[3] - q[3])[0];
      slide("alpha").value = i; slide("beta").value = j;
      drawBalance();
    });
  }
  function strip(place, pictures, pressed, act) {
    const row = at(place), key = pictures.map(([name, address]) => name + address.length).join();
    if (row.dataset.of !== key) {
      row.dataset.of = key;
      row.replaceChildren(...pictures.map(([name, address, label]) => {
        const image = make("img", { alt: "" });
        put(image, address);
        const inside = [make("div", { class: "plate" }, image), make("figcaption", {}, label)];
        if (!act) return make("figure", {}, ...inside);
        const button = make("button", { type: "button", "data-name": name }, inside[0], label);
        button.addEventListener("click", () => act(name));
        return button;
      }));
    }
    if (act) for (const button of row.children) button.setAttribute("aria-pressed", String(button.dataset.name === pressed));
  }

  // 4: the plain update
  let playing = 0;
  function drawDescent() {
    const figures = parts.descent;
    if (!figures) return;
    const last = figures.frames.length - 1, step = slide("step");
    if (Number(step.max) !== last) { step.max = last; step.value = last; }
    const now = Number(step.value), costs = figures.costs[now];
    put(at("frame"), figures.frames[now], `G after ${now} steps`);
    const text = `${now} ${now === 1 ? "step" : "steps"}: J = ${tidy(costs.J)}`;
    words("step-words", text); step.setAttribute("aria-valuetext", text);
    const names = { J: "J", content: `α J_content, α = ${figures.alpha}`, style: `β J_style, β = ${figures.beta}` };
    drawChart(at("descent-chart"), {
      lines: Object.keys(names).filter((kind) => kind in costs).map((kind) => ({
        kind, name: names[kind], told: tidy(costs[kind]), values: figures.costs.map((row, i) => [i, row[kind]]) })),
      x: { label: "steps" }, y: { label: "cost", log: true }, now });
    const shown = [...new Set([0, 1, 2, 4, 8, 16, 32, last].filter((i) => i <= last))];
    strip("frame-strip", shown.map((i) => [String(i), figures.frames[i], `${i} steps`]));
  }
  function play() {
    const step = slide("step"), button = one('[data-do="play"]');
    if (playing) { clearInterval(playing); playing = 0; button.textContent = "Play"; return; }
    if (step.value === step.max) step.value = 0;
    button.textContent = "Pause";
    playing = setInterval(() => {
      if (!root.isConnected || step.value === step.max) { play(); return; }
      step.value = Number(step.value) + 1;
      drawDescent();
    }, 140);
  }

  // 5: the content cost
  function drawContent() {
    const figures = parts.content;
    if (!figures) return;
    const names = Object.keys(figures.layers), layer = names.includes(chosen.content) ? chosen.content : names[0], found = figures.layers[layer];
    choose("content-layers", names, layer, (name) => { chosen.content = name; drawContent(); }, (name) => figures.layers[name].picture);
    put(at("content"), found.picture, `G from the content cost of ${layer}`);
    words("content-caption", `G, from the content cost of ${layer} alone, after ${figures.evaluations} evaluations`);
    const [height, width] = found.space;
    words("content-words", `l = ${layer}: n_C = ${found.channels} channels, n = ${width} × ${height} = ${width * height} places. J_content of this layer came down from ${tidy(found.costs[0])} `
      + `(noise) to ${tidy(found.costs[1])}.${layer === figures.usual ? " This is the layer that J asks." : ""}`);
  }

  // 6: the style matrix
  const heat = [[246, 239, 228], [234, 180, 143], [210, 100, 62], [141, 42, 31], [44, 11, 13]];
  const colour = (value) => {
    const place = Math.min(Math.max(value, 0), 1) * (heat.length - 1), i = Math.min(Math.floor(place), heat.length - 2);
    return heat[i].map((low, c) => Math.round(low + (heat[i + 1][c] - low) * (place - i)));
  };
  const images = new Map();
  const loaded = (address) => {
    if (!images.has(address)) {
      const image = new Image();
      image.src = address;
      images.set(address, image.decode().then(() => image));
    }
    return images.get(address);
  };
  function drawMatrix() {
    const figures = parts.matrices;
    if (!figures) return;
    const names = Object.keys(figures.layers), layer = names.includes(chosen.matrix) ? chosen.matrix : names[0], found = figures.layers[layer];
    choose("matrix-layers", names, layer, (name) => { chosen.matrix = name; drawMatrix(); });
    words("matrix-words", `${layer} has ${found.of} channels, and its matrix ${found.of} × ${found.of} entries. Drawn are the ${found.channels.length} channels that are most active in C and S.`);
    const count = found.channels.length, most = Math.max(...Object.values(found.signals).flatMap(({ matrix }) => matrix.flat()));
    const [k, other] = chosen.channels;
    for (const canvas of all("canvas[data-matrix]")) {
      const { matrix } = found.signals[canvas.dataset.matrix], cell = 20;
      canvas.width = canvas.height = count * cell;
      const pen = canvas.getContext("2d");
      matrix.forEach((row, i) => row.forEach((value, j) => {
        pen.fillStyle = `rgb(${colour(Math.sqrt(value / most))})`;
        pen.fillRect(j * cell, i * cell, cell, cell);
      }));
      for (const [i, j] of [[k, other], [other, k]]) {
        pen.strokeStyle = "#fff"; pen.lineWidth = 4; pen.strokeRect(j * cell + 1, i * cell + 1, cell - 2, cell - 2);
        pen.strokeStyle = "#1d5f96"; pen.lineWidth = 2; pen.strokeRect(j * cell + 1, i * cell + 1, cell - 2, cell - 2);
      }
      canvas.setAttribute("aria-label", `style matrix of ${canvas.dataset.matrix} at ${layer}, ${count} of its channels, as a heat map`);
      one(`[data-entry="${canvas.dataset.matrix}"]`).textContent = tidy(matrix[k][other]);
    }
    at("matrix-scale").replaceChildren(...["0", "", tidy(most), "M/n; the colour follows the square root"].map((text) => make(text ? "span" : "i", {}, text)));
    all("select[data-channel]").forEach((select, i) => {
      if (select.dataset.of !== layer) {
        select.dataset.of = layer;
        select.replaceChildren(...found.channels.map((number, place) => make("option", { value: place }, String(number))));
      }
      select.value = String(chosen.channels[i]);
    });
    drawMaps(layer, found, k, other);
  }
  async function drawMaps(layer, found, k, other) {
    const names = ["C", "S", "G"], usual = parts.balance?.usual ?? [1, 5];
    const under = { C: parts.pictures?.content, S: parts.pictures?.style, G: parts.balance?.pictures[String(usual[1] / usual[0])]?.picture };
    const sheets = await Promise.all(names.map((name) => loaded(found.signals[name].maps)));
    const grounds = await Promise.all(names.map((name) => (under[name] ? loaded(under[name]) : null)));
    if (chosen.channels[0] !== k || chosen.channels[1] !== other || !root.isConnected) return;
    const rows = k === other ? [["k", [k]]] : [["k", [k]], ["k′", [other]], ["both", [k, other]]];
    const values = names.map((name, i) => {
      const [height, width] = found.signals[name].tile, canvas = new OffscreenCanvas(width, height), pen = canvas.getContext("2d", { willReadFrequently: true });
      return (channel) => {
        pen.drawImage(sheets[i], channel % parts.matrices.columns * width, Math.floor(channel / parts.matrices.columns) * height, width, height, 0, 0, width, height);
        return pen.getImageData(0, 0, width, height).data.filter((_, place) => place % 4 === 0);
      };
    });
    const maps = rows.map(([, channels]) => values.map((of) => {
      const read = channels.map((channel) => Array.from(of(channel), (value) => value / 255));
      return read[0].map((value, i) => read.slice(1).reduce((product, map) => product * map[i], value));
    }));
    const canvases = rows.flatMap(([label], r) => {
      const most = Math.max(1e-9, ...maps[r].flatMap((map) => map));
      return [make("span", {}, label), ...names.map((name, i) => {
        const canvas = make("canvas", { role: "img", "aria-label": `where ${label === "both" ? "both channels are" : `channel ${label} is`} active in ${name}` });
        paintMap(canvas, grounds[i], maps[r][i].map((value) => value / most), found.signals[name].tile);
        return canvas;
      })];
    });
    at("maps").replaceChildren(make("span"), ...names.map((name) => make("span", {}, `in ${name}`)), ...canvases);
    const [a, b] = [found.channels[k], found.channels[other]];
    const entry = (name) => tidy(found.signals[name].matrix[k][other]);
    words("maps-words", k === other
      ? `The same channel twice: the sum of the squares of this map, divided by n, is M/n: ${names.map((name) => `${entry(name)} in ${name}`).join(", ")}.`
      : `Above, where channel ${a} and where channel ${b} is active; last, the product of both maps. Its sum over all places, divided by n, is M/n: ${names.map((name) => `${entry(name)} in ${name}`).join(", ")}. `
        + "G has learned it from S, and not from C.");
  }
  // a heat map over the grey picture: nothing where nothing is active
  function paintMap(canvas, ground, map, [height, width]) {
    canvas.width = 260;
    canvas.height = Math.round(260 * (ground ? ground.naturalHeight / ground.naturalWidth : height / width));
    const pen = canvas.getContext("2d");
    if (ground) {
      pen.filter = "grayscale(1) brightness(.75)";
      pen.drawImage(ground, 0, 0, canvas.width, canvas.height);
      pen.filter = "none";
    }
    const small = new OffscreenCanvas(width, height), drawn = new ImageData(width, height);
    map.forEach((value, i) => drawn.data.set([255, 214 - 130 * value, 70 - 50 * value, 255 * Math.sqrt(value)], 4 * i));
    small.getContext("2d").putImageData(drawn, 0, 0);
    pen.drawImage(small, 0, 0, canvas.width, canvas.height);
  }

  // 7: several layers
  function drawLayers() {
    const figures = parts.layers;
    if (!figures) return;
    const names = Object.keys(figures.layers);
    strip("style-layers", [...names.map((name) => [name, figures.layers[name].picture, name]), ["all", figures.all, "all five"]]);
    const costs = names.map((name) => figures.layers[name].cost), whole = costs.reduce((sum, cost) => sum + cost, 0);
    const row = (tag, cells) => make("tr", {}, ...cells.map((cell) => make(tag, {}, ...(typeof cell === "string" ? withSubscripts(cell) : [cell]))));
    at("lambda").replaceChildren(
      make("caption", { hidden: "" }, "lambda of each layer"),
      make("thead", {}, row("th", ["layer", "n_C", "its cost, noise", "share with equal λ", "λ", "λ · cost, noise", "λ · cost, at the end"])),
      make("tbody", {}, ...names.map((name) => {
        const its = figures.layers[name], bar = make("span", { class: "bar" }), part = make("span", {}, share(its.cost / whole), make("span", { class: "track" }, bar));
        bar.style.width = `${Math.max(1, 70 * its.cost / whole)}px`;
        return row("td", [name, String(its.channels), tidy(its.cost), part, tidy(its.lambda), tidy(its.begin), tidy(its.end)]);
      })));
  }

  // 8: one dimension and three
  function drawSeries() {
    const figures = parts.series;
    if (!figures) return;
    const timed = (name) => figures.signals[name].values.map((value, i) => [i / figures.signals[name].rate, value]);
    words("series-words", figures.own ? `C is your series, S the style that you gave, and G has the course of C drawn as S draws (β/α = ${figures.beta}, ${figures.evaluations} evaluations).` : `C is ${figures.names[0]} of an EKG, S is ${figures.names[1]} of the same heart, and G has the beats of C drawn as S draws them (β/α = ${figures.beta}, ${figures.evaluations} evaluations).`);
    const axes = { x: { label: "time in s" }, y: { label: figures.unit || "as in the file" } };
    drawChart(at("series-chart"), { ...axes, lines: [
      { kind: "content", name: `C, ${figures.names[0]}`, values: timed("content") }, { kind: "result", name: "G, the result", values: timed("result") }] });
    drawChart(at("series-style"), { ...axes, height: 180, lines: [{ kind: "style", name: `S, ${figures.names[1]}`, values: timed("style") }] });
  }
  const AXES = ["from the side", "from the front", "from above"];
  async function drawVolume() {
    const figures = parts.volume;
    if (!figures) return;
    const shown = chosen.axis, axis = figures.axes[shown], step = slide("slice");
    choose("axes", AXES, AXES[shown], (name) => { chosen.axis = AXES.indexOf(name); step.value = Math.floor(figures.axes[chosen.axis].count / 2); drawVolume(); });
    if (step.dataset.of !== "known") { step.dataset.of = "known"; step.max = axis.count - 1; step.value = Math.floor(axis.count / 2); }
    step.max = axis.count - 1;
    const now = Number(step.value), [height, width] = axis.tile;
    words("slice-words", `slice ${now + 1} of ${axis.count}`); step.setAttribute("aria-valuetext", `slice ${now + 1} of ${axis.count}`);
    words("volume-style", figures.picture === false ? "S, the style: its middle slice" : "S, the style: a picture, seen in each of the three directions");
    words("volume-words", `C is ${figures.title} of ${figures.axes[0].count} × ${figures.axes[1].count} × ${figures.axes[2].count} points, painted as a whole: each kernel looks along three axes (β/α = ${figures.beta}, ${figures.evaluations} evaluations).`);
    for (const canvas of all("canvas[data-volume]")) {
      const sheet = await loaded(axis[canvas.dataset.volume]);
      canvas.width = 320; canvas.height = Math.round(320 * height / width);
      drawSlice(canvas, sheet, now, { columns: figures.columns, tile: axis.tile });
      canvas.setAttribute("aria-label", `${canvas.dataset.volume}, slice ${now + 1}, ${AXES[shown]}`);
    }
  }

  // a section whose figures are not there has its text and its formulas alone
  const NEEDED = { what: ["pictures"], patches: ["patches"], cost: ["balance"], descent: ["descent"], content: ["content"], matrix: ["matrices", "balance"],
    style: ["layers"], dimensions: ["series", "volume"] };
  function draw() {
    for (const [name, needed] of Object.entries(NEEDED)) one(`#lecture-${name}`).toggleAttribute("data-missing", !needed.every((part) => part in parts));
    for (const image of all("[data-picture]")) put(image, follow(image.dataset.picture));
    drawPatches(); drawBalance(); drawDescent(); drawContent(); drawMatrix(); drawLayers(); drawSeries(); drawVolume();
  }
  for (const [name, act] of Object.entries({ alpha: drawBalance, beta: drawBalance, step: drawDescent, slice: drawVolume })) slide(name).addEventListener("input", act);
  all("select[data-channel]").forEach((select, i) => select.addEventListener("change", () => { chosen.channels = chosen.channels.with(i, Number(select.value)); drawMatrix(); }));
  for (const canvas of all("canvas[data-matrix]")) canvas.addEventListener("click", (event) => {
    const count = parts.matrices?.layers[chosen.matrix]?.channels.length ?? 1, box = canvas.getBoundingClientRect();
    const place = (offset, length) => Math.min(count - 1, Math.max(0, Math.floor(count * offset / length)));
    chosen.channels = [place(event.clientY - box.top, box.height), place(event.clientX - box.left, box.width)];
    drawMatrix();
  });
  one('[data-do="play"]').addEventListener("click", play);
  one('[data-do="explore"]').addEventListener("click", () => openUnit?.(chosen.patches));
  let width = 0;
  new ResizeObserver(() => { if (root.clientWidth && root.clientWidth !== width) { width = root.clientWidth; drawDescent(); drawSeries(); } }).observe(root);
  addEventListener("beforeprint", () => drawPatches(true));
  addEventListener("afterprint", () => drawPatches());

  return {
    // new parts; those that are not named stay
    show(news, about) {
      parts = { ...parts, ...news };
      if (about !== undefined) one(".about").textContent = about;
      if (parts.pictures) loaded(parts.pictures.content).then((image) => root.style.setProperty("--ratio", `${image.naturalWidth} / ${image.naturalHeight}`));
      draw();
    },
    clear() { parts = {}; images.clear(); draw(); },
  };
}
