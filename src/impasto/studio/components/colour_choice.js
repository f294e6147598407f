// the ways to treat colours, each as a sketch of the picture that is to be painted
const ways = find(".ways"), says = find(".says");
const inputs = props.ways.map(({ name, word, caption }) => {
  const label = document.createElement("label"), input = document.createElement("input");
  const image = document.createElement("img"), text = document.createElement("span");
  Object.assign(input, { type: "radio", name: "colour-choice", value: name });
  input.setAttribute("aria-describedby", "colour-says-" + name);
  const hidden = document.createElement("small"); // read after the word; that of the chosen one is shown below them
  hidden.id = "colour-says-" + name;
  hidden.textContent = label.title = caption;
  image.alt = "";
  text.textContent = word;
  label.append(input, image, text);
  ways.append(label);
  says.before(hidden);
  input.addEventListener("change", () => {
    props.value = { ...props.value, chosen: name };
    show();
    trigger("input");
  });
  return input;
});

function show() {
  const { pictures = {}, chosen = "", coloured = true } = props.value || {};
  find(".colour-choice").hidden = !coloured;
  find(".colour-choice").toggleAttribute("data-empty", !Object.keys(pictures).length);
  for (const input of inputs) {
    const image = input.nextElementSibling;
    if (!pictures[input.value]) image.removeAttribute("src");
    else if (image.getAttribute("src") !== pictures[input.value]) image.src = pictures[input.value];
    input.checked = input.value === chosen;
  }
  const caption = props.ways.find((way) => way.name === chosen)?.caption || "";
  says.textContent = caption;
}
watch("value", show);
show();
