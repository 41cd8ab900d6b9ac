// Counts what is done with a card: told by a page that somebody looks at, never by the request for it.

const SEEN = 1000; // milliseconds on a visible page

export function teller(address, tags) {
  return (act, target = "") => {
    const told = { a: act, t: target, s: tags.get("s") ?? "", r: tags.get("r") ?? "" };
    navigator.sendBeacon(address, JSON.stringify(told));
  };
}

// A tap on whatever carries data-act, inside `part`.
export function listen(part, tell) {
  part.addEventListener("click", (event) => {
    const tapped = event.target.closest("[data-act]");
    if (tapped) tell(tapped.dataset.act, tapped.dataset.target);
  });
}

// Hands back what calls it off.
export function whenSeen(then, wait = SEEN) {
  let timer = 0;
  const look = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(seen, wait);
  };
  const stop = () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
  };
  const seen = () => {
    stop();
    then();
  };
  document.addEventListener("visibilitychange", look);
  look();
  return stop;
}
