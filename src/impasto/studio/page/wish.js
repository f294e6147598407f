// the picture that a unit wants to see, made when it is asked for
const find = (name) => element.querySelector(name);
find(".begin").addEventListener("click", () => trigger("submit"));
find(".stop").addEventListener("click", () => trigger("stop"));

function show() {
  const value = props.value || {}, image = find("img");
  find(".wish").toggleAttribute("data-empty", !value.title);
  find(".wish").toggleAttribute("data-busy", Boolean(value.busy));
  if (value.picture) image.src = value.picture; else image.removeAttribute("src");
  image.alt = value.picture ? `what ${value.title} wants to see` : "";
  find(".begin").hidden = Boolean(value.picture || value.busy);
  find(".stop").hidden = !value.busy;
  find(".error").textContent = value.error || "";
  find("figcaption span").textContent = value.note || "what it wants to see, made from noise";
  const percent = Math.round(100 * (value.progress || 0));
  find(".progress").setAttribute("aria-valuenow", percent);
  find(".progress i").style.width = percent + "%";
}
watch("value", show);
show();
