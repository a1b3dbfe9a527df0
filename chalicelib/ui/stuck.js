// Says that the page could not begin, in words that stand in it: without its files there are no others. It is
// no part of a version, so that it comes where a page asks for files of a version that is gone.

// All addresses are relative to the page's: of `…/api`, without the slash, they would lead elsewhere.
if (!location.pathname.endsWith("/")) location.replace(`${location.pathname}/${location.search}${location.hash}`);

const page = document.getElementById("page");
const stuck = document.getElementById("stuck");

function show() {
  if (page.hasChildNodes()) return;
  stuck.hidden = false;
  stuck.querySelector("button").focus();
}

// What failed need not be what the page waits for: once it is drawn, it could begin.
new MutationObserver(() => {
  stuck.hidden = true;
}).observe(page, { childList: true });
stuck.querySelector("button").addEventListener("click", () => location.reload());
document.querySelector("script[src$='/main.js']").addEventListener("error", show);
addEventListener("error", show);
addEventListener("unhandledrejection", show);
