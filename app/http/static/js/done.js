// The URL forgets what was just done, so that reloading the page does not announce it again.
const url = new URL(location.href);
url.searchParams.delete("fait");
history.replaceState(history.state, "", url);
