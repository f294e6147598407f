// a painting explained: one place of G is chosen, and all figures follow it
const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
// numbers as they lie in memory, little end first
const unpack = (text, type) => new type(Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer);
const loaded = (address) => { const image = new Image(); image.src = address; return image.decode().then(() => image); };

async function explain(root, A, B) {
  const one = (name) => root.querySelector(name), at = (name) => one(`[data-place="${name}"]`);
  const [G, C, ...styles] = await Promise.all([A.generated, A.content, ...A.styles.map((style) => style.picture)].map(loaded));
  const other = B && await loaded(B.generated), apart = B && await loaded(B.difference);
  const { rows, columns, side, height, width } = A.places;
  const names = Object.keys(A.layers), terms = [...new Set(A.costs.map((cost) => cost.term))];
  const chosen = { row: rows >> 1, column: columns >> 1, layer: A.first, term: "J", of: "", instead: false, difference: "pictures" };
  const origins = Object.fromEntries(names.map((name) => [name, Object.fromEntries(Object.entries(A.layers[name].origins)
    .map(([what, text]) => [what, unpack(text, what === "cosine" ? Float32Array : Int16Array)]))]));
  for (const cost of [...A.costs, ...(B ? B.costs : [])]) cost.values = unpack(cost.shares, Float32Array);
  const style = A.styles.length > 1 ? (i) => `S${i + 1}` : () => "S";
  // it begins where the painting is most plainly like a place of S: the best is far from the best elsewhere
  const first = origins[A.first].cosine.reduce((best, value, i, all) => (i % A.found ? best : value - all[i + 1] > best[0] ? [value - all[i + 1], i / A.found] : best), [-9, 0])[1];
  [chosen.row, chosen.column] = [Math.floor(first / columns), first % columns];
  const percent = (value) => (value && Math.abs(value) < 0.0001 ? "0.00%" : `${(100 * value).toFixed(2)}%`).replace("-", "−");

  // a row of buttons, of which one is pressed
  function choose(place, options, pressed, act, label = (name) => name) {
    const row = at(place), key = options.join();
    if (row.dataset.of !== key) {
      row.dataset.of = key;
      row.replaceChildren(...options.map((name) => {
        const button = make("button", { type: "button", "data-name": name }, label(name));
        button.addEventListener("click", () => act(name));
        return button;
      }));
    }
    for (const button of row.children) button.setAttribute("aria-pressed", String(button.dataset.name === pressed));
  }

  // ---- canvases: as many pixels as the screen has, and the scale from those of the picture
  function pen(canvas, [w, h]) {
    const wide = canvas.parentElement.clientWidth || 300, dense = Math.min(devicePixelRatio || 1, 2);
    canvas.width = Math.round(wide * dense); canvas.height = Math.round(wide * dense * h / w);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    return { context, scale: canvas.width / w, dense };
  }
  function frame({ context, scale, dense }, [top, bottom], [left, right], colour, thick = 2, dash = []) {
    const box = [left * scale, top * scale, (right - left) * scale, (bottom - top) * scale];
    context.setLineDash([]);
    context.strokeStyle = "rgba(0,0,0,.55)"; context.lineWidth = (thick + 2) * dense; context.strokeRect(...box);
    context.setLineDash(dash.map((length) => length * dense));
    context.strokeStyle = colour; context.lineWidth = thick * dense; context.strokeRect(...box);
    context.setLineDash([]);
  }
  const squareOf = () => [[chosen.row * side, Math.min(height, (chosen.row + 1) * side)], [chosen.column * side, Math.min(width, (chosen.column + 1) * side)]];
  const fieldOf = (layer) => [A.layers[layer].rows[chosen.row], A.layers[layer].columns[chosen.column]];
  function found(layer) {
    const of = origins[layer], count = A.found, start = (chosen.row * columns + chosen.column) * count;
    return Array.from({ length: count }, (_, k) => start + k).filter((i) => of.style[i] >= 0).map((i) => {
      const [vertical, horizontal] = A.layers[layer].styles[of.style[i]];
      return { style: of.style[i], rows: vertical[of.row[i]], columns: horizontal[of.column[i]], cosine: of.cosine[i] };
    });
  }
  const ACCENT = "#ff6a3d";

  function drawPicture() {
    const draw = pen(one('[data-canvas="G"] canvas'), [width, height]), { context } = draw;
    context.drawImage(chosen.instead ? C : G, 0, 0, context.canvas.width, context.canvas.height);
    frame(draw, ...fieldOf(chosen.layer), ACCENT);
    frame(draw, ...squareOf(), "#fff", 1.5);
    at("G-caption").replaceChildren(make("b", {}, chosen.instead ? "C, the content" : "G, the painting"),
      ` place ${chosen.row + 1}, ${chosen.column + 1} of ${rows} × ${columns}; outlined: what ${chosen.layer} sees from there`);
  }
  function drawStyles() {
    const all = found(chosen.layer);
    A.styles.forEach((its, i) => {
      const draw = pen(one(`[data-canvas="S${i}"] canvas`), [its.width, its.height]), { context } = draw;
      context.drawImage(styles[i], 0, 0, context.canvas.width, context.canvas.height);
      [...all.entries()].reverse().filter(([, origin]) => origin.style === i).forEach(([rank, origin]) => {
        frame(draw, origin.rows, origin.columns, rank ? "#fff" : ACCENT, rank ? 1.5 : 2.5, rank ? [5, 4] : []);
        const x = origin.columns[0] * draw.scale, y = origin.rows[0] * draw.scale, size = 18 * draw.dense;
        const inside = [Math.min(x, context.canvas.width - size), Math.max(0, y - size)];
        context.fillStyle = rank ? "rgba(20,18,16,.8)" : ACCENT;
        context.fillRect(...inside, size, size);
        context.fillStyle = rank ? "#fff" : "#1a0f0a";
        context.font = `600 ${12 * draw.dense}px sans-serif`; context.textAlign = "center"; context.textBaseline = "middle";
        context.fillText(rank + 1, inside[0] + size / 2, inside[1] + size / 2);
      });
    });
    const best = all[0];
    const middle = ([start, stop]) => Math.round((start + stop) / 2);
    at("words").textContent = best
      ? `${chosen.layer} at x ${middle(squareOf()[1])}, y ${middle(squareOf()[0])} of G: most like ${style(best.style)} at x ${middle(best.columns)}, y ${middle(best.rows)}, likeness ${best.cosine.toFixed(2)}`
        + (all[1] ? `; elsewhere at best ${all[1].cosine.toFixed(2)}.` : ".") : "";
  }

  // what a layer sees at a place, with surroundings if that is little
  function drawPatch(canvas, image, [top, bottom], [left, right], accent) {
    canvas.width = canvas.height = 2 * 132;
    const context = canvas.getContext("2d"), field = Math.max(bottom - top, right - left), seen = Math.max(field, 28), zoom = canvas.width / seen;
    const x = (left + right - seen) / 2, y = (top + bottom - seen) / 2;
    context.imageSmoothingEnabled = zoom < 6;
    context.imageSmoothingQuality = "high";
    context.fillStyle = "#969086"; context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, -x * zoom, -y * zoom, image.naturalWidth * zoom, image.naturalHeight * zoom);
    if (seen > field * 1.1) frame({ context, scale: zoom, dense: 2 }, [top - y, bottom - y], [left - x, right - x], accent ? ACCENT : "#fff", 1.5);
  }
  function drawPatches() {
    const place = at("patches");
    if (!place.children.length) place.replaceChildren(...names.map((name) => {
      const size = A.layers[name].field;
      const sees = size ? `sees ${size} × ${size}` : "sees the whole";
      const cells = Array.from({ length: 1 + A.found }, (_, i) => make("span", {}, make("canvas"), make("small", {}, i ? "" : "G")));
      const button = make("button", { type: "button", "data-name": name }, make("span", {}, make("b", {}, name), make("small", {}, sees)), ...cells);
      button.addEventListener("click", () => { chosen.layer = name; draw(); });
      return button;
    }));
    for (const button of place.children) {
      const name = button.dataset.name, all = found(name), [, mine, ...cells] = button.children;
      button.setAttribute("aria-pressed", String(name === chosen.layer));
      button.setAttribute("aria-label", `${name}: G, and ${all.map((origin) => `likeness ${origin.cosine.toFixed(2)}`).join(", ")}`);
      drawPatch(mine.firstChild, chosen.instead ? C : G, ...fieldOf(name), true);
      mine.lastChild.textContent = chosen.instead ? "C" : "G";
      cells.slice(0, A.found).forEach((cell, i) => {
        cell.style.visibility = all[i] ? "" : "hidden";
        if (!all[i]) return;
        drawPatch(cell.firstChild, styles[all[i].style], all[i].rows, all[i].columns, !i);
        cell.lastChild.textContent = `${style(all[i].style)} ${i + 1}: ${all[i].cosine.toFixed(2)}`;
      });
    }
  }

  // ---- J on the places
  const summed = (costs) => costs.reduce((sum, cost) => { cost.values.forEach((value, i) => { sum[i] += value; }); return sum; }, new Float64Array(rows * columns));
  const costsOf = (run, term, layer) => run.costs.filter((cost) => (term === "J" || cost.term === term) && (!layer || cost.layer === layer));
  const layersOf = (term) => (term === "J" ? [] : A.costs.filter((cost) => cost.term === term).map((cost) => cost.layer).filter((layer) => layer));
  const colour = (value, signed) => {
    const warm = [[243, 239, 230], [234, 180, 143], [210, 100, 62], [141, 42, 31], [78, 16, 16]], cold = [[243, 239, 230], [160, 197, 224], [86, 148, 194], [18, 80, 127], [9, 46, 80]];
    const ramp = signed && value < 0 ? cold : warm, place = Math.min(Math.abs(value), 1) * (ramp.length - 1), i = Math.min(Math.floor(place), ramp.length - 2);
    return ramp[i].map((low, c) => Math.round(low + (ramp[i + 1][c] - low) * (place - i)));
  };
  // the colours end where a hundredth of the places lie beyond; where values have one sign they begin so too
  function rangeOf(values, signed) {
    const sorted = [...values].map((value) => (signed ? Math.abs(value) : value)).sort((a, b) => a - b), last = sorted.length - 1;
    const most = sorted[Math.floor(last * 0.99)] || 1e-12;
    return signed ? [-most, most] : [sorted[Math.ceil(last * 0.01)], most];
  }
  function drawMap(canvas, ground, values, [least, most], signed) {
    const draw = pen(canvas, [width, height]), { context } = draw;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    context.filter = "grayscale(1) contrast(1.2)"; context.globalAlpha = 0.5;
    context.drawImage(ground, 0, 0, context.canvas.width, context.canvas.height);
    context.filter = "none"; context.globalAlpha = 1;
    const small = new OffscreenCanvas(columns, rows), drawn = new ImageData(columns, rows);
    values.forEach((value, i) => drawn.data.set([...colour(signed ? value / most : (value - least) / (most - least || 1), signed), 255], 4 * i));
    small.getContext("2d").putImageData(drawn, 0, 0);
    context.globalCompositeOperation = "multiply";
    // the last places may be smaller than the others
    context.drawImage(small, 0, 0, columns * side * draw.scale, rows * side * draw.scale);
    context.globalCompositeOperation = "source-over";
    frame(draw, ...squareOf(), "#fff", 1.5);
  }
  function showScale(place, [least, most], signed, text) {
    at(place).toggleAttribute("data-signed", signed);
    at(place).replaceChildren(make("span", {}, tidy(least)), make("i"), make("span", {}, tidy(most)), make("span", {}, text));
  }
  const termName = (term) => (term === "J" ? "all of J" : term);
  function drawCosts() {
    choose("terms", ["J", ...terms], chosen.term, (name) => { chosen.term = name; chosen.of = ""; drawCosts(); }, termName);
    const layers = layersOf(chosen.term);
    choose("term-layers", layers.length > 1 ? ["", ...layers] : [], chosen.of, (name) => { chosen.of = name; drawCosts(); }, (name) => name || "all layers");
    const values = summed(costsOf(A, chosen.term, chosen.of)), signed = values.some((value) => value < 0), most = rangeOf(values, signed);
    drawMap(one('[data-canvas="J"] canvas'), G, values, most, signed);
    showScale("scale", most, signed, "a place");
    const whole = values.reduce((sum, value) => sum + value, 0), its = chosen.of ? `${chosen.term} at ${chosen.of}` : chosen.term === "J" ? "J" : `J's ${chosen.term} cost`;
    at("J-caption").replaceChildren(make("b", {}, chosen.of || termName(chosen.term)), ` sums to ${tidy(whole)} over ${rows * columns} places of ${side} × ${side} pixels`);
    const here = chosen.row * columns + chosen.column, count = rows * columns;
    at("share-words").textContent = `At place ${chosen.row + 1}, ${chosen.column + 1}: ${percent(values[here] / whole)} of ${its}, ${(values[here] / whole * count).toFixed(1).replace("-", "−")} times an average place.`;
    const line = (name, costs, term) => {
      const all = summed(costs), total = all.reduce((sum, value) => sum + value, 0), ratio = total ? all[here] / total * count : 0;
      const bar = make("span", { class: ratio < 0 ? "bar less" : "bar" });
      bar.style.width = `${Math.min(100, Math.max(1.5, Math.abs(ratio) * 20))}%`;
      const row = make("tr", term ? { "data-term": "" } : {}, make("td", {}, name), make("td", {}, tidy(total)), make("td", {}, tidy(all[here])),
        make("td", {}, percent(total ? all[here] / total : 0)), make("td", {}, `${ratio.toFixed(1).replace("-", "−")} ×`, make("span", { class: "track" }, bar)));
      return row;
    };
    const lines = [line("J", A.costs, true), ...terms.flatMap((term) => [line(term, costsOf(A, term), true),
      ...(layersOf(term).length > 1 ? layersOf(term).map((layer) => line(layer, costsOf(A, term, layer), false)) : [])])];
    at("shares").replaceChildren(make("thead", {}, make("tr", {}, ...["", "adds to J", "here", "part of it", "of an average place"].map((text) => make("th", {}, text)))), make("tbody", {}, ...lines));
  }

  // ---- the other run
  function table(place, head, lines) {
    at(place).replaceChildren(make("thead", {}, make("tr", {}, ...head.map((text) => make("th", {}, text)))),
      make("tbody", {}, ...lines.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))))));
  }
  const sameGrid = B && B.places.rows === rows && B.places.columns === columns && B.places.side === side;
  function drawRuns() {
    if (!B) return;
    for (const [name, image, run] of [["A", G, A], ["B", other, B]]) {
      const draw = pen(one(`[data-canvas="${name}"] canvas`), [width, height]);
      draw.context.drawImage(image, 0, 0, draw.context.canvas.width, draw.context.canvas.height);
      frame(draw, ...squareOf(), "#fff", 1.5);
      at(`${name}-caption`).replaceChildren(make("b", {}, run.name), `: J ${tidy(run.J)}`);
    }
    const shared = terms.filter((term) => B.costs.some((cost) => cost.term === term));
    choose("differences", ["pictures", ...(sameGrid ? ["J", ...shared] : [])], chosen.difference, (name) => { chosen.difference = name; drawRuns(); },
      (name) => (name === "pictures" ? "the pictures" : termName(name)));
    const canvas = one('[data-canvas="D"] canvas');
    if (chosen.difference === "pictures") {
      const draw = pen(canvas, [width, height]);
      draw.context.drawImage(apart, 0, 0, draw.context.canvas.width, draw.context.canvas.height);
      frame(draw, ...squareOf(), "#fff", 1.5);
      at("D-scale").replaceChildren();
      at("D-caption").replaceChildren(make("b", {}, "the difference of the pictures"), `: on average ${tidy(B.apart * 255)} of 255, at most ${tidy(B.most * 255)} (white)`);
    } else {
      const mine = summed(costsOf(A, chosen.difference)), its = summed(costsOf(B, chosen.difference)), values = its.map((value, i) => value - mine[i]);
      const most = rangeOf(values, true);
      drawMap(canvas, G, values, most, true);
      showScale("D-scale", most, true, "a place");
      at("D-caption").replaceChildren(make("b", {}, termName(chosen.difference)), `: ${B.name} less ${A.name}; blue where it costs less`);
    }
  }
  function drawTables() {
    table("settings", ["setting", "value"], Object.entries(A.settings));
    if (!B) return;
    one("#explain-runs").hidden = false;
    const keys = [...new Set([...Object.keys(A.settings), ...Object.keys(B.settings)])].filter((key) => key !== "cost" && A.settings[key] !== B.settings[key]);
    at("run-words").textContent = keys.length ? `${keys.length} ${keys.length === 1 ? "setting differs" : "settings differ"}: ${keys.join(", ")}.` : "No setting differs.";
    table("differing", ["setting", A.name, B.name], keys.map((key) => [key, A.settings[key] ?? "", B.settings[key] ?? ""]));
    const sum = (costs) => costs.reduce((total, cost) => total + cost.total, 0), change = (a, b) => (a ? `${b > a ? "+" : ""}${tidy(100 * (b - a) / a)}%` : "");
    const lines = [...new Set([...terms, ...B.costs.map((cost) => cost.term)])].map((term) => {
      const [mine, its] = [A, B].map((run) => run.costs.filter((cost) => cost.term === term)), pure = (costs) => sum(costs) / (costs[0]?.weight || 1);
      const both = mine.length && its.length;
      return [term, ...[mine, its].map((costs) => (costs.length ? tidy(pure(costs)) : "")), both ? change(pure(mine), pure(its)) : "",
        ...[mine, its].map((costs) => (costs.length ? tidy(sum(costs)) : ""))];
    });
    table("run-costs", ["term", `its cost, ${A.name}`, B.name, "change", `adds to J, ${A.name}`, B.name], [...lines, ["J", "", "", "", tidy(A.J), tidy(B.J)]]);
  }

  function draw() {
    choose("layers", names, chosen.layer, (name) => { chosen.layer = name; draw(); });
    drawPicture(); drawStyles(); drawPatches(); drawCosts(); drawRuns();
    for (const canvas of root.querySelectorAll('[role="application"]')) canvas.setAttribute("aria-label", canvas.dataset.label
      + `, place ${chosen.row + 1}, ${chosen.column + 1} of ${rows} by ${columns}; arrow keys move it, with Shift by five`);
  }
  function move(row, column) {
    chosen.row = Math.min(rows - 1, Math.max(0, row)); chosen.column = Math.min(columns - 1, Math.max(0, column));
    draw();
  }
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const LABELS = { G: "G, the painting", J: "What each place costs", A: A.name, B: B?.name ?? "", D: "The difference" };
  for (const canvas of root.querySelectorAll('[role="application"]')) {
    canvas.dataset.label = LABELS[canvas.dataset.canvas];
    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      move(Math.floor((event.clientY - box.top) / box.height * height / side), Math.floor((event.clientX - box.left) / box.width * width / side));
    };
    canvas.addEventListener("pointerdown", (event) => { point(event); });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) point(event); });
    canvas.addEventListener("keydown", (event) => {
      const step = STEPS[event.key], layer = names[Number(event.key) - 1], far = event.shiftKey ? 5 : 1;
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (step) move(chosen.row + far * step[0], chosen.column + far * step[1]);
      else if (layer) { chosen.layer = layer; draw(); }
      else return;
      event.preventDefault();
    });
  }
  one('[data-do="content"]').addEventListener("click", (event) => {
    chosen.instead = !chosen.instead;
    event.target.setAttribute("aria-pressed", String(chosen.instead));
    drawPicture(); drawPatches();
  });
  at("styles").append(...A.styles.map((its, i) => make("figure", {}, make("div", { class: "canvas", "data-canvas": `S${i}` }, make("canvas", { role: "img", "aria-label": `${style(i)}, the style` })),
    make("figcaption", {}, make("b", {}, `${style(i)}, the style`), ` ${its.name}${A.styles.length > 1 ? `, ${Math.round(100 * its.share)}% of it` : ""}: 1 is the most alike place`))));
  // side by side, and as tall as each other
  const wide = [width / height, 1 / A.styles.reduce((sum, its) => sum + its.height / its.width, 0)];
  one(".both").style.gridTemplateColumns = wide.map((share) => `minmax(0, ${share}fr)`).join(" ");
  ["--G", "--S"].forEach((name, i) => one(".both").style.setProperty(name, wide[i]));
  one(".about").textContent = A.about;
  at("footer").textContent = A.footer;
  let seen = 0;
  new ResizeObserver(() => { if (root.clientWidth && root.clientWidth !== seen) { seen = root.clientWidth; draw(); } }).observe(root);
  drawTables(); draw();
  root.dataset.ready = "";
}
