// what this visitor has asked for: one click shows it, arrows change the order, the cross takes it out
const list = find("ol");

function button(name, text, title, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.title = made.ariaLabel = title;
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

function row(run) {
  const item = document.createElement("li");
  item.dataset.run = run.id;
  item.dataset.state = run.state;
  const open = button("open", "", `Show ${run.title}`, () => trigger("select", { id: run.id }));
  const image = document.createElement("img");
  image.alt = "";
  image.src = run.picture;
  const title = document.createElement("span");
  title.textContent = run.title;
  const note = document.createElement("small");
  note.textContent = run.note;
  open.append(image, title, note);
  item.append(open);
  if (run.earlier) item.append(button("earlier", "↑", `Paint ${run.title} earlier`, () => trigger("input", { id: run.id })));
  if (run.state !== "ended") item.append(button("cancel", "×", `Cancel ${run.title}`, () => trigger("delete", { id: run.id })));
  return item;
}

function show() {
  const runs = props.value || [];
  element.querySelector(".own-queue").hidden = !runs.length;
  const focused = document.activeElement?.closest(".own-queue li");
  const where = focused && [focused.dataset.run, document.activeElement.className];
  list.replaceChildren(...runs.map(row));
  if (where) list.querySelector(`[data-run="${where[0]}"] .${where[1]}`)?.focus();
}
watch("value", show);
show();
