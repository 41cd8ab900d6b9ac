// The foil of a scratch card. The server decided at the till what lies under it, and tells at the first stroke: from
// then on the card is scratched, as one of paper is, and the prize shows through while the foil goes.

const BRUSH = 21; // pixels
const ENOUGH = 0.55; // of the foil
const COLUMNS = 24;
const ROWS = 14;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const random = (low, high) => low + Math.random() * (high - low);

for (const part of document.querySelectorAll(".scratch")) {
  const form = part.querySelector("form[data-away]");
  if (form) begin(part, form);
  else listen(part);
}

function begin(part, form) {
  const foil = part.querySelector(".foil");
  const lid = foil.querySelector(".lid");
  const canvas = foil.appendChild(document.createElement("canvas"));
  const { width, height } = foil.getBoundingClientRect();
  const scale = Math.min(devicePixelRatio, 2);
  const pen = sized(canvas, width, height, scale);
  canvas.setAttribute("aria-hidden", "true");
  cover(pen, width, height, lid);
  lid.hidden = true;

  const dust = calm ? { fall() {}, burst() {} } : dusty(part, foil, scale);
  const brushes = [0, 1, 2].map(() => brush(BRUSH));
  const seen = new Set();
  let answer = null;
  let last = null;
  let is_over = false;

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || is_over || !form.reportValidity()) return;
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last || is_over) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) stroke(at(each));
    reveal();
    if (seen.size > ENOUGH * COLUMNS * ROWS) finish();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (last = null));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (is_over) return;
    is_over = true;
    if ((await reveal()) && !calm) await sweep();
    await finish();
  });

  function at(event) {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  function stroke(to) {
    const from = last;
    const far = Math.hypot(to.x - from.x, to.y - from.y);
    const steps = Math.max(1, Math.ceil(far / 4));
    pen.globalCompositeOperation = "destination-out";
    for (let step = 1; step <= steps; step++) {
      const x = from.x + ((to.x - from.x) * step) / steps;
      const y = from.y + ((to.y - from.y) * step) / steps;
      pen.save();
      pen.translate(x, y);
      pen.rotate(random(0, 6.3));
      pen.drawImage(brushes[(Math.random() * 3) | 0], -BRUSH, -BRUSH, 2 * BRUSH, 2 * BRUSH);
      pen.restore();
      mark(x, y);
    }
    dust.fall(to, Math.min(3, far / 5), to.x - from.x, to.y - from.y);
    last = to;
  }

  // Which parts of a grid are bare: reading the picture back would stop the hand.
  function mark(x, y) {
    const reach = BRUSH * 0.8;
    const wide = width / COLUMNS;
    const high = height / ROWS;
    for (let row = Math.floor((y - reach) / high); row <= (y + reach) / high; row++)
      for (let column = Math.floor((x - reach) / wide); column <= (x + reach) / wide; column++)
        if (row >= 0 && row < ROWS && column >= 0 && column < COLUMNS) seen.add(row * COLUMNS + column);
  }

  // Asked once, however often one strokes. A card that cannot be told now gets its foil back.
  function reveal() {
    answer ??= ask(form).then(
      (told) => {
        const under = told.querySelector(".ticket");
        if (under) foil.querySelector(".under").replaceChildren(under.cloneNode(true));
        canvas.classList.add("begun");
        return told;
      },
      () => {
        answer = null;
        is_over = false;
        last = null;
        seen.clear();
        cover(pen, width, height, lid);
        part.querySelector("[role=alert]").textContent = form.dataset.away;
        return null;
      },
    );
    return answer;
  }

  async function sweep() {
    const lines = 5;
    last = { x: -BRUSH, y: height / lines / 2 };
    for (let frame = 1; frame <= 45; frame++) {
      const along = (frame / 45) * lines;
      const line = Math.min(lines - 1, Math.floor(along));
      const x = line % 2 ? 1 - (along - line) : along - line;
      stroke({ x: x * width, y: ((line + 0.5) / lines) * height + Math.sin(frame) * 5 });
      await new Promise(requestAnimationFrame);
    }
    last = null;
  }

  async function finish() {
    is_over = true;
    const told = await reveal();
    if (!told) return;
    last = null;
    const fresh = told.querySelector(".scratch");
    if (fresh.classList.contains("won")) dust.burst(width, height);
    canvas.classList.add("gone");
    await new Promise((then) => setTimeout(then, calm ? 0 : 450));
    part.className = `${fresh.className} fresh`;
    Object.assign(part.dataset, fresh.dataset);
    part.replaceChildren(...fresh.childNodes, ...part.querySelectorAll(".dust"));
    part.querySelector(".ticket").focus({ preventScroll: true });
    listen(part);
  }
}

async function ask(form) {
  const sent = await fetch(`${form.action}&part=1`, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (sent.status >= 500 || sent.status === 429) throw new Error("away");
  if (!sent.ok) {
    // What only a page can say. Nothing goes on here meanwhile.
    location.reload();
    await new Promise(() => {});
  }
  return new DOMParser().parseFromString(await sent.text(), "text/html");
}

// Whoever takes the code along has claimed it, which the card's own form cannot tell.
function listen(card) {
  for (const each of card.querySelectorAll("[data-take], [data-copy]"))
    each.addEventListener("click", () => navigator.sendBeacon(card.dataset.taken));
  const copy = card.querySelector("[data-copy]");
  // Without https there is no clipboard, and a button that does nothing is none.
  if (copy) copy.hidden = !navigator.clipboard;
  copy?.addEventListener("click", async () => {
    await navigator.clipboard.writeText(copy.dataset.copy);
    const label = copy.querySelector("span");
    const before = label.textContent;
    label.setAttribute("role", "status");
    label.textContent = copy.dataset.done;
    setTimeout(() => (label.textContent = before), 2500);
  });
}

function sized(canvas, width, height, scale) {
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  return pen;
}

// Brushed metal in a breath of the brand's colour, engraved, with the words of the lid.
function cover(pen, width, height, lid) {
  const style = getComputedStyle(lid);
  pen.globalCompositeOperation = "source-over";
  const sheen = pen.createLinearGradient(0, 0, width, height * 0.7);
  const tones = ["#a9a7a3", "#e4e2de", "#b6b4b0", "#f3f1ed", "#c4c2bd", "#9f9d99", "#d4d2ce"];
  tones.forEach((tone, at) => sheen.addColorStop(at / (tones.length - 1), tone));
  pen.fillStyle = sheen;
  pen.fillRect(0, 0, width, height);
  const brand = style.getPropertyValue("--brand").trim();
  for (const [way, share] of [["color", 0.4], ["overlay", 0.35]]) {
    pen.globalCompositeOperation = way;
    pen.globalAlpha = share;
    pen.fillStyle = brand;
    pen.fillRect(0, 0, width, height);
  }
  pen.globalCompositeOperation = "source-over";
  for (let line = 0; line < height; line += 0.7) {
    pen.globalAlpha = random(0, 0.09);
    pen.fillStyle = Math.random() < 0.5 ? "#fff" : "#000";
    pen.fillRect(random(-width, width * 0.6), line, random(width * 0.3, width), 0.7);
  }
  pen.lineWidth = 0.8;
  for (let ring = 10; ring < width * 1.2; ring += 9) {
    pen.globalAlpha = 0.13;
    pen.strokeStyle = ring % 2 ? "#000" : "#fff";
    pen.beginPath();
    pen.arc(width * 1.03, height * 1.15, ring, 0, 6.3);
    pen.stroke();
  }
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.direction = style.direction;
  const [small, large] = lid.children;
  engrave(pen, small.textContent, width, height / 2 - 17, `500 14px ${style.fontFamily}`);
  engrave(pen, large.textContent, width, height / 2 + 9, `700 22px ${style.fontFamily}`);
  pen.globalAlpha = 0.5;
  pen.strokeStyle = "#fff";
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.roundRect(8, 8, width - 16, height - 16, 10);
  pen.stroke();
  pen.globalAlpha = 1;
}

// Dark letters with light below them look pressed in.
function engrave(pen, text, width, y, font) {
  pen.font = font;
  for (const [colour, down, share] of [["#fff", 1, 0.7], ["#000", 0, 0.66]]) {
    pen.fillStyle = colour;
    pen.globalAlpha = share;
    pen.fillText(text, width / 2, y + down, width - 48);
  }
}

// Soft, with a frayed edge: foil comes off in crumbs.
function brush(radius) {
  const canvas = document.createElement("canvas");
  const pen = sized(canvas, 2 * radius, 2 * radius, 2);
  const soft = pen.createRadialGradient(radius, radius, radius * 0.35, radius, radius, radius);
  soft.addColorStop(0, "#000");
  soft.addColorStop(0.6, "#000b");
  soft.addColorStop(1, "#0000");
  pen.fillStyle = soft;
  pen.fillRect(0, 0, 2 * radius, 2 * radius);
  pen.globalCompositeOperation = "destination-out";
  for (let crumb = 0; crumb < 90; crumb++) {
    const angle = random(0, 6.3);
    const far = radius * random(0.6, 1);
    pen.beginPath();
    pen.arc(radius + far * Math.cos(angle), radius + far * Math.sin(angle), random(0.4, 1.8), 0, 6.3);
    pen.fill();
  }
  return canvas;
}

// Flakes that fly off and fall, on a canvas that reaches beyond the foil.
function dusty(part, foil, scale) {
  const canvas = part.appendChild(document.createElement("canvas"));
  canvas.className = "dust";
  canvas.setAttribute("aria-hidden", "true");
  const box = canvas.getBoundingClientRect();
  const home = foil.getBoundingClientRect();
  canvas.style.height = `${box.height}px`;
  const pen = sized(canvas, box.width, box.height, scale);
  const left = home.left - box.left;
  const top = home.top - box.top;
  const style = getComputedStyle(foil);
  const bright = [style.getPropertyValue("--brand"), style.getPropertyValue("--accent"), "#e0b04c"];
  let flakes = [];
  let is_running = false;

  function add(x, y, dx, dy, colour, size, life) {
    if (flakes.length > 220) return;
    flakes.push({ x: x + left, y: y + top, dx, dy, colour, size, life, turn: random(0, 6), spin: random(-0.3, 0.3) });
    if (!is_running) requestAnimationFrame(draw);
    is_running = true;
  }

  function draw() {
    pen.clearRect(0, 0, box.width, box.height);
    flakes = flakes.filter((each) => each.life > 0 && each.y < box.height);
    for (const each of flakes) {
      each.dy += 0.16;
      each.dx *= 0.985;
      each.x += each.dx;
      each.y += each.dy;
      each.turn += each.spin;
      each.life--;
      pen.save();
      pen.globalAlpha = Math.min(1, each.life / 18);
      pen.translate(each.x, each.y);
      pen.rotate(each.turn);
      pen.scale(1, Math.cos(each.turn * 2));
      pen.fillStyle = each.colour;
      pen.fillRect(-each.size / 2, -each.size / 2, each.size, each.size * 0.7);
      pen.restore();
    }
    is_running = flakes.length > 0;
    if (is_running) requestAnimationFrame(draw);
  }

  return {
    fall(from, count, dx, dy) {
      for (let each = 0; each < count; each++) {
        const grey = random(130, 225) | 0;
        const x = from.x + random(-BRUSH, BRUSH);
        add(x, from.y + random(0, BRUSH), dx * 0.06 + random(-0.7, 0.7), dy * 0.06 - random(0, 1.2),
          `rgb(${grey} ${grey} ${grey - 4})`, random(1, 3.2), random(25, 55));
      }
    },
    burst(width, height) {
      for (let each = 0; each < 110; each++)
        add(width / 2 + random(-width / 3, width / 3), height * 0.6, random(-3.2, 3.2), random(-6.5, -1.5),
          bright[each % 3], random(3, 7), random(45, 85));
    },
  };
}
