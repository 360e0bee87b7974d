// "/" opens the search of the campus, Escape closes the menu. Both work by hand without this script.
const find = document.querySelector("[data-find]");
const drawer = document.querySelector("details.drawer");

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    if (find.offsetParent === null) {
      drawer.open = true;
      drawer.querySelector("input[type=search]").focus();
    } else {
      find.focus();
    }
  }
  if (event.key === "Escape") {
    for (const open of document.querySelectorAll(".workspace details[open]")) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  }
});
