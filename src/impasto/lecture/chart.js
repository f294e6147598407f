// curves with axes: every value has its place, and the numbers of the axes are round
function roundSteps(low, high, count) {
  const raw = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw * 0.999);
  const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function logSteps(low, high) {
  const all = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const one of [1, 2, 5]) all.push(one * 10 ** power);
  const first = all.findLastIndex((one) => one <= low * 1.0001), last = all.findIndex((one) => one >= high * 0.9999);
  const found = all.slice(first, last + 1);
  if (found.length <= 8) return found;
  const lowest = Math.floor(Math.log10(low) + 1e-4), highest = Math.ceil(Math.log10(high) - 1e-4), every = Math.ceil((highest - lowest) / 6);
  return Array.from({ length: Math.ceil((highest - lowest) / every) + 1 }, (_, i) => 10 ** (lowest + i * every));
}

function tidy(x) {
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e4 && size < 1e6) return Math.round(Number(x.toPrecision(3))).toLocaleString("en").replace("-", "−");
  if (size >= 1e5 || size < 1e-3) {
    const [digits, power] = x.toExponential(1).split("e");
    const small = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
    return `${digits.replace(/\.0$/, "").replace("-", "−")} · 10${[...power.replace("+", "")].map((one) => small[one]).join("")}`;
  }
  return String(Number(x.toPrecision(3))).replace("-", "−");
}

// "J_content" as J with a small "content" below
function withSubscripts(text) {
  return text.split(/_(content|style|C)\b/).map((part, i) => {
    if (i % 2 === 0) return part;
    const sub = document.createElement("sub");
    sub.textContent = part;
    return sub;
  });
}

// lines: [{ name, kind (a class), values: [[x, y]], told }]; x and y: { label, log, low, high }; now: where a mark stands;
// breaks: [{ at, label }], where lines are interrupted; key: whether the lines are named below
function drawChart(place, { lines, x, y, now, breaks = [], height = 240, key: named = true }) {
  // what is nearly nothing would leave a logarithmic axis no room for the rest
  const most = Math.max(0, ...lines.map((line) => line.values.reduce((so, [, value]) => (Number.isFinite(value) ? Math.max(so, value) : so), 0)));
  const isDrawn = ([, value]) => Number.isFinite(value) && (!y.log || (value > 0 && value >= 1e-7 * most));
  const width = Math.max(280, place.clientWidth || 560), left = 68, right = 12, top = breaks.length ? 26 : 14, bottom = 42;
  const points = lines.flatMap((line) => line.values).filter(isDrawn);
  if (!points.length) { place.replaceChildren(); return; }
  const bounds = (i, axis) => points.reduce(([low, high], point) => [Math.min(low, point[i]), Math.max(high, point[i])], [axis.low ?? Infinity, axis.high ?? -Infinity]);
  const [xLow, xHigh] = bounds(0, x), [yLow, yHigh] = bounds(1, y);
  const xs = roundSteps(xLow, xHigh, Math.max(3, width / 110)).filter((one) => one >= xLow - 1e-9 && one <= xHigh * 1.0001);
  const ys = y.log ? logSteps(yLow, yHigh) : roundSteps(yLow, yHigh, Math.min(6, height / 36));
  const scale = y.log ? Math.log : (value) => value;
  const [base, peak] = [scale(ys[0]), scale(ys[ys.length - 1])];
  const atX = (value) => left + (width - left - right) * (value - xLow) / (xHigh - xLow || 1);
  const atY = (value) => height - bottom - (height - top - bottom) * (scale(value) - base) / (peak - base || 1);
  const svg = (tag, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${lines.map((line) => line.name).join(", ")}: ${y.label} over ${x.label}` });
  for (const value of ys) {
    chart.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: atY(value), y2: atY(value) }));
    chart.append(svg("text", { x: left - 8, y: atY(value) + 4, "text-anchor": "end" }, tidy(value)));
  }
  for (const value of xs) {
    chart.append(svg("line", { class: "axis", x1: atX(value), x2: atX(value), y1: height - bottom, y2: height - bottom + 4 }));
    chart.append(svg("text", { x: atX(value), y: height - bottom + 18, "text-anchor": "middle" }, tidy(value)));
  }
  chart.append(svg("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
  chart.append(svg("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, x.label));
  chart.append(svg("text", { transform: `translate(11 ${(top + height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, y.label));
  let free = -Infinity; // where the last label ends
  for (const { at, label } of breaks) {
    const middle = Math.max(atX(at), left), room = 6.5 * label.length;
    if (at > xLow) chart.append(svg("line", { class: "break", x1: middle, x2: middle, y1: top - 12, y2: height - bottom }));
    if (middle < free || middle + room > width) continue; // the words below the curves name them all
    chart.append(svg("text", { x: middle + 5, y: top - 4 }, label));
    free = middle + room + 10;
  }
  for (const { kind, values } of lines) {
    const parts = [[]];
    values.forEach((point, i) => {
      if (!isDrawn(point) || (i && breaks.some(({ at }) => values[i - 1][0] < at && at <= point[0]))) parts.push([]);
      if (isDrawn(point)) parts.at(-1).push(point);
    });
    for (const part of parts.filter((one) => one.length))
      chart.append(svg("polyline", { class: kind, points: part.map(([a, b]) => `${atX(a).toFixed(1)},${atY(b).toFixed(1)}`).join(" ") }));
  }
  if (now !== undefined) chart.append(svg("line", { class: "now", x1: atX(now), x2: atX(now), y1: top, y2: height - bottom }));
  place.replaceChildren(chart);
  if (!named) return;
  const key = document.createElement("p");
  key.className = "key";
  for (const { name, kind, told } of lines) {
    const one = document.createElement("span");
    one.className = kind;
    one.append(...withSubscripts(name));
    if (told !== undefined) { const value = document.createElement("b"); value.textContent = ` ${told}`; one.append(value); }
    key.append(one);
  }
  place.append(key);
}
