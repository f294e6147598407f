// a file comes in by drop, paste, click or camera, or a ready one is chosen; Python looks into it and says what is shown
const zone = find(".signal-input"), box = find(".box"), input = find(".file"), video = find("video");
const choose = find(".choose"), camera = find(".camera"), remove = find(".remove"), picture = find(".box img");
const role = props.label;

find(".role").textContent = role;
function say(error) { find(".error").textContent = error || ""; }

async function send(file) {
  if (!file) return;
  say("");
  zone.toggleAttribute("data-busy", true);
  try {
    const { path } = await upload(file);
    trigger("upload", { path, name: file.name || "pasted.png" });
  } catch (problem) {
    zone.toggleAttribute("data-busy", false);
    const large = /size|large|413/i.test(String(problem && problem.message));
    say(large ? `${file.name} is too large; up to ${props.megabytes} MB are taken`
              : `${file.name} could not be sent; is the studio still running?`);
  }
}

input.addEventListener("change", () => { send(input.files[0]); input.value = ""; });
choose.addEventListener("click", () => (video.hidden ? input.click() : snap()));
for (const name of ["dragenter", "dragover"])
  zone.addEventListener(name, (event) => { event.preventDefault(); zone.toggleAttribute("data-over", true); });
for (const name of ["dragleave", "drop"])
  zone.addEventListener(name, (event) => { event.preventDefault(); zone.toggleAttribute("data-over", false); });
zone.addEventListener("drop", (event) => send(event.dataTransfer.files[0]));

// what is pasted goes to the zone under the pointer or with the focus; else, as what is dropped beside the zones, it is dealt
// to those that are empty
function deal(files, aimed) {
  const zones = [...document.querySelectorAll(".signal-input")].filter((other) => other.offsetParent);
  const target = aimed && zones.find((other) => other.matches(":hover, :focus-within"));
  const empty = zones.filter((other) => !other.hasAttribute("data-filled"));
  send(files[(target ? [target] : empty.length ? empty : zones).indexOf(zone)]);
}
document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length && zone.offsetParent) { event.preventDefault(); deal(files, true); }
});
for (const name of ["dragover", "drop"])
  document.addEventListener(name, (event) => {
    if (!zone.offsetParent || event.target.closest?.(".signal-input, input, textarea")) return;
    event.preventDefault();
    if (name === "drop") deal([...event.dataTransfer.files], false);
  });

async function look() {
  if (!video.hidden) return stop();
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 } } });
  } catch {
    return say("there is no camera that this page may use");
  }
  say("");
  video.hidden = false;
  choose.setAttribute("aria-label", "Take the photograph");
  await video.play();
}
function stop() {
  for (const track of video.srcObject ? video.srcObject.getTracks() : []) track.stop();
  video.srcObject = null;
  video.hidden = true;
  show();
}
function snap() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  stop();
  canvas.toBlob((blob) => send(new File([blob], "photograph.png", { type: "image/png" })));
}
camera.addEventListener("click", look);
remove.addEventListener("click", () => trigger("clear"));
const weight = find(".weight");
find(".share").hidden = role === "content";
weight.addEventListener("change", () => trigger("input", { weight: Number(weight.value) }));

for (const one of props.ready || []) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = button.ariaLabel = one.name;
  button.dataset.name = one.name;
  button.style.backgroundImage = `url(${one.picture})`;
  button.addEventListener("click", () => trigger("select", { name: one.name }));
  const name = document.createElement("span");
  name.textContent = one.name;
  button.append(name);
  find(".ready").append(button);
}
find(".ready").setAttribute("aria-label", `Ready pictures for the ${role}`);

function show() {
  const value = props.value || {};
  zone.toggleAttribute("data-busy", false);
  zone.toggleAttribute("data-filled", Boolean(value.picture));
  if (value.picture) picture.src = value.picture; else picture.removeAttribute("src");
  picture.alt = value.name || "";
  choose.innerHTML = value.picture ? "" : `<b>${role}</b><br>drop, paste or click`;
  choose.setAttribute("aria-label", `${value.picture ? "Change" : "Choose"} the ${role}`);
  find(".note").textContent = value.note || "";
  for (const button of find(".ready").children) button.ariaPressed = String(button.dataset.name === value.ready);
  weight.value = value.weight || 1;
  weight.setAttribute("aria-label", `Weight of the ${role}`);
  say(value.error);
}
watch("value", show);
show();
