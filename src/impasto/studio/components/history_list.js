// runs as pictures: one click opens a run, the small cross forgets it

const most = 4, marked = new Set(), compare = find(".compare button");
compare.addEventListener("click", () => { trigger("submit", { ids: [...marked].slice(0, most) }); marked.clear(); show(); });
function several() {
  compare.hidden = marked.size < 2;
  compare.textContent = marked.size > most ? `Side by side: the first ${most}` : `Side by side: ${marked.size}`;
}

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
  const mark = document.createElement("label");
  mark.className = "mark";
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = marked.has(run.id);
  box.setAttribute("aria-label", `Compare ${run.title}`);
  box.addEventListener("change", () => {
    if (box.checked) marked.add(run.id); else marked.delete(run.id);
    several();
  });
  mark.append(box, "compare");
  const tools = document.createElement("p");
  tools.className = "tools";
  tools.append(mark);
  if (run.download) {
    const link = document.createElement("a");
    link.textContent = "Download";
    link.href = run.download.address;
    link.download = run.download.name;
    tools.append(link);
  }
  item.append(open, forget, tools);
  return item;
}

function show() {
  const runs = props.value || [];
  find(".hint").textContent = runs.length ? "" : "What you paint is kept here.";
  for (const id of [...marked]) if (!runs.some((run) => run.id === id)) marked.delete(id);
  several();
  find("ul").replaceChildren(...runs.map(card));
}
watch("value", show);
show();
