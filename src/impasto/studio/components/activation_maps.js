// pictures side by side, lit where something is

function figure(one) {
  const made = document.createElement("figure"), image = document.createElement("img");
  const caption = document.createElement("figcaption");
  image.src = one.picture;
  image.alt = caption.textContent = one.note;
  made.append(image, caption);
  return made;
}

function show() {
  const value = props.value || {};
  find("h2").textContent = value.title || "";
  find(".row").replaceChildren(...(value.maps || []).map(figure));
  find(".hint").textContent = value.hint || "";
}
watch("value", show);
show();
