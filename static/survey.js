// A survey without leaving the page. Without a script its forms do the same, page by page.

import { whenSeen } from "./tell.js";

const UNTOUCHED = 2000; // milliseconds in which somebody who came by a link may choose another score
let busy = ""; // what is under way
let next = null; // what was pressed last while an answer was under way
let touched = false;

document.addEventListener("submit", (event) => {
  const form = event.target.closest(".survey form");
  if (!form) return;
  event.preventDefault();
  touched = true;
  const sent = new URLSearchParams(new FormData(form));
  if (event.submitter?.name) sent.set(event.submitter.name, event.submitter.value);
  send(form, sent);
});

async function send(form, sent) {
  if (busy) {
    next = busy === String(sent) ? null : [form, sent];
    return;
  }
  busy = String(sent);
  const answer = await fetch(`${form.action}&part=1`, { method: "POST", body: sent }).catch(() => null);
  busy = "";
  if (next) {
    const [pressed, instead] = next;
    next = null;
    return send(pressed, instead);
  }
  if (!answer || ![200, 422].includes(answer.status)) return byItself(form, sent);
  const section = form.closest("section");
  section.innerHTML = await answer.text();
  const wrong = section.querySelector("[aria-invalid]");
  (wrong ?? section.querySelector("[tabindex='-1']"))?.focus({ preventScroll: !wrong });
}

// As the browser would have sent it: then it says what is the matter.
function byItself(form, sent) {
  for (const [name, value] of sent) {
    if (form.elements[name] instanceof HTMLInputElement || form.elements[name] instanceof HTMLTextAreaElement) continue;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  form.submit();
}

const survey = document.querySelector(".survey");

if (survey.dataset.seen) {
  const watch = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    watch.disconnect();
    whenSeen(() => navigator.sendBeacon(survey.dataset.seen));
  }, { threshold: 0.5 });
  watch.observe(survey);
}

if (survey.dataset.send) {
  survey.addEventListener("pointerdown", () => (touched = true));
  survey.addEventListener("keydown", () => (touched = true));
  whenSeen(() => {
    if (touched) return;
    const form = survey.querySelector("form");
    const sent = new URLSearchParams(new FormData(form));
    sent.set("score", survey.dataset.send);
    sent.set("auto", "1");
    send(form, sent);
  }, UNTOUCHED);
}
