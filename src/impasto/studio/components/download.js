// gives a file away under another name than it has on the disk
const link = find("a");
function show() {
  const value = props.value;
  if (value) Object.assign(link, { href: value.address, download: value.name });
  else link.removeAttribute("href");
  link.toggleAttribute("data-picture", Boolean(value?.picture)); // which can be explained
}
watch("value", show);
show();
