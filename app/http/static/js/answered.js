// A page that answers a form is opened anew by Back, which would send the form again or show the browser's own error.
const leave = () => history.replaceState(history.state, "", location.href);

document.addEventListener("submit", leave);
document.addEventListener("click", (event) => {
  if (event.target.closest('a[href]:not([href^="#"])')) leave();
});
