// Long work is done a part at a time: the page sends its form again by itself. Without this script, a button does it.
document.querySelector("form[data-continue]").requestSubmit();
