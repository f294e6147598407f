// folders that other processes paint: a bar, a note and the newest results of each

function row(folder) {
  const part = document.createElement("section");
  const title = document.createElement("h3");
  title.textContent = `${folder.path}/`;
  const bar = document.createElement("progress");
  bar.max = folder.total || 1;
  bar.value = folder.done;
  bar.setAttribute("aria-label", `${folder.path}: results`);
  const note = document.createElement("p");
  const count = folder.total ? `${folder.done} of ${folder.total}` : "";
  note.textContent = [count, folder.note].filter(Boolean).join(" · ");
  const newest = document.createElement("ul");
  for (const result of folder.newest) {
    const item = document.createElement("li");
    if (result.picture) {
      const image = document.createElement("img");
      image.src = result.picture;
      image.alt = "";
      item.append(image);
    }
    const name = document.createElement("small");
    name.textContent = name.title = result.name;
    item.append(name);
    newest.append(item);
  }
  part.append(title, bar, note, newest);
  return part;
}

function show() { find(".folder-list").replaceChildren(...(props.value || []).map(row)); }
watch("value", show);
show();
