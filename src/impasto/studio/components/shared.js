// what the script of every component begins with
const find = (name) => element.querySelector(name);

function showProgress(share) {
  const percent = Math.round(100 * (share || 0));
  find(".progress").setAttribute("aria-valuenow", percent);
  find(".progress i").style.width = percent + "%";
}

