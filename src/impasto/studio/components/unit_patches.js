// one unit, by the patches that excite it most

function show() {
  const value = props.value || {}, patches = value.patches || [];
  find(".unit-patches").toggleAttribute("data-empty", !value.title);
  find("h2").textContent = value.title || "";
  find(".error").textContent = value.error || "";
  find(".nine").replaceChildren(...patches.map((one) => {
    const image = document.createElement("img");
    image.src = one.picture;
    image.alt = image.title = one.note;
    return image;
  }));
  find("figcaption").textContent = patches.length ? "what excites it most" : "nothing in these pictures excites it";
}
watch("value", show);
show();
