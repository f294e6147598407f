// many files come in at once; Python looks into each, and searches them all
const photos = find(".photographs"), input = find("input"), stop = find(".stop");

async function send(files) {
  const sent = [];
  find(".error").textContent = "";
  for (const file of files) {
    find(".note").textContent = `sending ${sent.length + 1} of ${files.length}`;
    try {
      const { path } = await upload(file);
      sent.push({ path, name: file.name });
    } catch {
      find(".error").textContent = `${file.name} could not be sent; up to ${props.megabytes} MB are taken.`;
    }
  }
  if (sent.length) trigger("upload", { files: sent }); else find(".note").textContent = "";
}
input.addEventListener("change", () => { send([...input.files]); input.value = ""; });
find(".choose").addEventListener("click", () => input.click());
for (const name of ["dragenter", "dragover", "dragleave", "drop"])
  photos.addEventListener(name, (event) => {
    event.preventDefault();
    photos.toggleAttribute("data-over", name === "dragenter" || name === "dragover");
  });
photos.addEventListener("drop", (event) => send([...event.dataTransfer.files]));
find(".ready").addEventListener("click", () => trigger("clear"));
stop.addEventListener("click", () => trigger("stop"));

function show() {
  const value = props.value || {};
  find(".choose span").textContent = "drop or click: the patches that excite each unit are looked for in them";
  find(".note").textContent = value.note || "";
  find(".error").textContent = value.error || "";
  stop.hidden = !value.busy;
  find(".ready").hidden = Boolean(value.busy);
  photos.toggleAttribute("data-busy", Boolean(value.busy));
  showProgress(value.progress);
}
watch("value", show);
show();
