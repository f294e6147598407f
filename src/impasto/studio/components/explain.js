// asks for the page that explains the painting, and saves it as soon as there is one; beside a Download of a picture
const ask = find("button"), link = find("a");
ask.addEventListener("click", () => {
  ask.disabled = true;
  ask.textContent = "Explaining …";
  trigger("select", {});
});
watch("value", () => {
  ask.disabled = false;
  ask.textContent = "Explain";
  if (!props.value?.address) return;
  Object.assign(link, { href: props.value.address, download: props.value.name });
  link.click();
});
