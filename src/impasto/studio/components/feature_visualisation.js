// the picture that a unit wants to see, made when it is asked for
find(".begin").addEventListener("click", () => trigger("submit"));
find(".stop").addEventListener("click", () => trigger("stop"));

function show() {
  const value = props.value || {}, image = find("img");
  find(".feature-visualisation").toggleAttribute("data-empty", !value.title);
  find(".feature-visualisation").toggleAttribute("data-busy", Boolean(value.busy));
  if (value.picture) image.src = value.picture; else image.removeAttribute("src");
  image.alt = value.picture ? `what ${value.title} wants to see` : "";
  find(".begin").hidden = Boolean(value.picture || value.busy);
  find(".stop").hidden = !value.busy;
  find(".error").textContent = value.error || "";
  find("figcaption span").textContent = value.note || "what it wants to see, made from noise";
  showProgress(value.progress);
}
watch("value", show);
show();
