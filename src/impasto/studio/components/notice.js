// a sentence stands here; and what is wrong with a field or a signal input is put beside that
const text = find("p");

function beside(field, message) {
  const block = document.querySelector(`#set-${field}`);
  if (!block) return;
  const note = document.createElement("p");
  note.className = "mistake";
  note.id = `mistake-${field}`;
  note.textContent = message;
  block.after(note);
  const input = block.querySelector("input, textarea");
  input?.setAttribute("aria-invalid", "true");
  input?.setAttribute("aria-describedby", note.id);
}

function show() {
  const { text: sentence, fields, roles } = { text: "", fields: {}, roles: {}, ...props.value };
  if (text.textContent !== sentence) text.textContent = sentence;
  for (const note of document.querySelectorAll(".mistake")) note.remove();
  for (const input of document.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  for (const [field, message] of Object.entries(fields)) beside(field, message);
  for (const [role, message] of Object.entries(roles)) {
    const place = document.querySelector(`#${role.replace(" ", "-")} .error`);
    if (place) place.textContent = message;
  }
  text.toggleAttribute("data-field", Object.keys(fields).length > 0);
}
// the fields come when More is opened for the first time
document.addEventListener("click", (event) => { if (event.target.closest("#more > button")) setTimeout(show, 400); });
text.addEventListener("click", () => {
  const field = Object.keys((props.value || {}).fields || {})[0];
  if (!field) return;
  if (!document.querySelector(`#set-${field}`)?.offsetParent) document.querySelector("#more > button")?.click();
  setTimeout(() => document.querySelector(`#set-${field} :is(input, textarea)`)?.focus(), 500);
});
watch("value", show);
show();
