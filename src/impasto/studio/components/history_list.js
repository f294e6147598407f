// runs as pictures: one click opens a run, the small cross forgets it

function card(run) {
  const item = document.createElement("li");
  const open = document.createElement("button");
  open.type = "button";
  open.className = "open";
  open.dataset.run = run.id;
  const image = document.createElement("img");
  image.loading = "lazy";
  image.alt = "";
  if (run.picture) image.src = run.picture;
  const title = document.createElement("span");
  title.textContent = run.title;
  const note = document.createElement("small");
  note.textContent = run.note;
  note.dataset.state = run.state;
  const settings = document.createElement("small");
  settings.textContent = run.settings;
  open.append(image, title, settings, note);
  open.addEventListener("click", () => trigger("select", { id: run.id }));
  const forget = document.createElement("button");
  forget.type = "button";
  forget.className = "forget";
  forget.title = forget.ariaLabel = `Forget ${run.title}`;
  forget.textContent = "×";
  forget.addEventListener("click", () => {
    if (forget.dataset.sure) return trigger("delete", { id: run.id });
    forget.dataset.sure = "yes";
    forget.textContent = "forget it?";
    setTimeout(() => { delete forget.dataset.sure; forget.textContent = "×"; }, 3000);
  });
  item.append(open, forget);
  return item;
}

function show() {
  const runs = props.value || [];
  find(".hint").textContent = runs.length ? "" : "What you paint is kept here.";
  find("ul").replaceChildren(...runs.map(card));
}
watch("value", show);
show();
