// one unit, by the patches that excite it most; a click on one asks where it is from

function show() {
  const value = props.value || {}, patches = value.patches || [];
  find(".unit-patches").toggleAttribute("data-empty", !value.title);
  find("h2").textContent = value.title || "";
  find(".error").textContent = value.error || "";
  find(".nine").replaceChildren(...patches.map((one, rank) => {
    const button = document.createElement("button"), image = document.createElement("img");
    button.type = "button";
    button.addEventListener("click", () => trigger("select", { rank }));
    image.src = one.picture;
    image.alt = button.title = one.note;
    button.append(image);
    return button;
  }));
  find("figcaption").textContent = !patches.length && !value.error ? "Nothing in these pictures excites it."
    : "What excites it most, each patch as large as the unit’s field: all that it can see from one place. Click one to see where it is from.";
}
watch("value", show);
show();
