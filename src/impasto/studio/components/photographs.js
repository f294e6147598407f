// many files come in at once; Python looks into each, and searches them all
const photos = find(".photographs"), stop = find(".stop");
let sending = false, left = "";

async function send(files) {
  const sent = [], all = files.length, busy = sending || (props.value || {}).busy;
  if (busy || !all) {
    find(".error").textContent = busy ? "Wait for the search, or stop it first." : "There is no picture in it.";
    return;
  }
  sending = true;
  files = files.slice(0, props.most);
  find(".error").textContent = left = files.length < all ? `Of ${all} files the first ${props.most} are taken.` : "";
  for (const file of files) {
    find(".note").textContent = `sending ${sent.length + 1} of ${files.length}`;
    try {
      const { path } = await upload(file);
      sent.push({ path, name: file.name });
    } catch {
      find(".error").textContent = `${file.name} could not be sent; up to ${props.megabytes} MB are taken.`;
    }
  }
  sending = false;
  if (sent.length) trigger("upload", { files: sent }); else find(".note").textContent = "";
}

// what a folder holds beside pictures was not meant; some kinds of pictures have no type that browsers know
const meant = (file) => !file.name.startsWith(".") && (!file.type || file.type.startsWith("image/"));

async function within(entry) {
  if (entry.isFile) return [await new Promise((found, failed) => entry.file(found, failed))].filter(meant);
  const reader = entry.createReader(), files = [];
  for (;;) {
    const some = await new Promise((found, failed) => reader.readEntries(found, failed));
    if (!some.length) return files;
    for (const one of some) files.push(...(await within(one).catch(() => []))); // what cannot be read
  }
}

async function dropped(items) {
  const entries = [...items].map((item) => [item.webkitGetAsEntry(), item.getAsFile()]); // before anything is awaited
  const files = [];
  for (const [entry, file] of entries) {
    if (entry && entry.isDirectory) files.push(...(await within(entry).catch(() => [])));
    else if (file) files.push(file);
  }
  send(files);
}

for (const [button, name, chosen] of [["choose", "files", () => true], ["folder", "of-folder", meant]]) {
  const input = find(`.${name}`);
  find(`.${button}`).addEventListener("click", () => input.click());
  input.addEventListener("change", () => { send([...input.files].filter(chosen)); input.value = ""; });
}
for (const name of ["dragenter", "dragover", "dragleave", "drop"])
  photos.addEventListener(name, (event) => {
    event.preventDefault();
    photos.toggleAttribute("data-over", name === "dragenter" || name === "dragover");
  });
photos.addEventListener("drop", (event) => dropped(event.dataTransfer.items));
find(".ready").addEventListener("click", () => trigger("clear"));
stop.addEventListener("click", () => trigger("stop"));

function show() {
  const value = props.value || {};
  find(".choose span").textContent = "drop or click, a folder too: the more there are, the plainer it is what excites each unit; some hundred are good";
  find(".note").textContent = value.note || "";
  find(".error").textContent = value.error || (value.note ? left : "");
  stop.hidden = !value.busy;
  for (const name of [".ready", ".folder"]) find(name).hidden = Boolean(value.busy);
  photos.toggleAttribute("data-busy", Boolean(value.busy));
  showProgress(value.progress);
}
watch("value", show);
show();
