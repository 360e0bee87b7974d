// Goes on at once with the form that waited while somebody confirmed who they are. Without this script a button does.
document.querySelector("form[data-resume]")?.requestSubmit();
