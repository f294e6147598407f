// the picture that a patch is from, with the field outlined
const dialog = find("dialog");
let shown = 0;

const step = (by) => trigger("select", { rank: props.value.rank + by });
find(".before").addEventListener("click", () => step(-1));
find(".after").addEventListener("click", () => step(1));
find(".close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("keydown", (event) => {
  const name = { ArrowLeft: ".before", ArrowRight: ".after" }[event.key];
  if (name) { event.preventDefault(); find(name).click(); }
});

function show() {
  const value = props.value || {};
  if (!value.opened || value.opened === shown) return;
  shown = value.opened;
  find("h2").textContent = value.name || "";
  find(".note").textContent = value.note || "";
  find(".error").textContent = value.error || "";
  find(".picture").hidden = !value.picture;
  if (value.picture) {
    find("img").src = value.picture;
    find("img").alt = value.name;
    const [left, top, width, height] = value.field.map((share) => `${share}%`);
    Object.assign(find(".field").style, { left, top, width, height });
  }
  find(".before").disabled = !value.rank;
  find(".after").disabled = !(value.rank + 1 < value.count);
  if (!dialog.open) dialog.showModal();
}
watch("value", show);
show();
