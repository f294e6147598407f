// the text stays; its figures are filled as they are computed
find(".begin").addEventListener("click", () => trigger("submit"));
find(".stop").addEventListener("click", () => trigger("stop"));

function put(image, address, name) {
  if (address && image.dataset.address !== address) { image.dataset.address = address; image.src = address; }
  if (!address) { image.removeAttribute("src"); delete image.dataset.address; }
  image.alt = address ? name : "";
}

function show() {
  const value = props.value || {}, figures = value.figures || {};
  for (const role of ["content", "style"]) put(find(`header .${role}`), value[role], `the ${role}`);
  for (const figure of element.querySelectorAll("[data-figure]")) {
    const name = figure.dataset.figure;
    put(figure.querySelector("img"), figures[name], name);
    figure.toggleAttribute("data-working", value.working === name);
  }
  const done = value.ready && "both" in figures;
  find(".begin").hidden = !value.ready;
  find(".begin").textContent = done ? "Compute it again" : "Compute this page";
  find(".stop").hidden = !value.busy;
  find(".note").textContent = value.note || (value.ready && !done ? "a minute or two" : "");
  find(".hint").textContent = value.hint || "";
  find(".error").textContent = value.error || "";
  find(".learn-figures").toggleAttribute("data-busy", Boolean(value.busy));
  showProgress(value.progress);
}
watch("value", show);
show();
