// pictures side by side in grey, with heat where something is active, and the scale of it

function figure(one) {
  const made = document.createElement("figure"), image = document.createElement("img");
  const caption = document.createElement("figcaption");
  image.src = one.picture;
  image.alt = caption.textContent = one.note;
  made.append(image, caption);
  return made;
}

function show() {
  const value = props.value || {}, scale = find(".scale"), shown = value.maps || [];
  find("h2").textContent = value.title || "";
  find(".says").textContent = shown.length ? value.says : "";
  find(".row").replaceChildren(...shown.map(figure));
  scale.hidden = !shown.length;
  if (shown.length) {
    find(".scale i").style.background = `linear-gradient(to right, ${value.scale.join(", ")})`;
    find(".most").textContent = value.most;
  }
  find(".hint").textContent = value.hint || "";
}
watch("value", show);
show();
