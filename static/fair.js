// Draws a card again in the reader's own browser, from what the page tells: it need not believe the server's verdict.

const said = document.querySelector("[data-sums]");
const sums = JSON.parse(said.dataset.sums);
const bytes = (text) => new TextEncoder().encode(text);
const hex = (buffer) => [...new Uint8Array(buffer)].map((each) => each.toString(16).padStart(2, "0")).join("");
const hash = async (data) => hex(await crypto.subtle.digest("SHA-256", data));
const seed = Uint8Array.from(sums.seed.match(/../g), (pair) => parseInt(pair, 16));

// Without https there is no cryptography in a browser, and nothing is said.
if (globalThis.crypto?.subtle) {
  const is_right = await draws();
  said.querySelector("span").textContent = is_right ? said.dataset.right : said.dataset.wrong;
  said.classList.toggle("bad", !is_right);
  said.hidden = false;
}

async function draws() {
  const { draw } = sums;
  const table = JSON.parse(sums.table);
  // A blank is never gone.
  if (draw.gone.some((prize) => prize >= table.prizes.length)) return false;
  const weights = [...table.prizes.map((prize) => BigInt(prize.weight)), BigInt(table.nothing)];
  for (const [nonce, wanted] of [...draw.gone, draw.outcome].entries()) {
    if ((await drawn(`${sums.campaign}:${draw.entry}:${nonce}`, weights)) !== wanted) return false;
    weights[wanted] = 0n;
  }
  return (await hash(seed)) === sums.seed_sha256 && (await hash(bytes(sums.table))) === sums.table_sha256;
}

// The first number of 64 bits that can be cut to the sum of the weights without favouring any.
async function drawn(message, weights) {
  const sum = weights.reduce((one, other) => one + other);
  const fair = 2n ** 64n - (2n ** 64n % sum);
  const key = await crypto.subtle.importKey("raw", seed, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  for (let block = 0; ; block++) {
    const told = await crypto.subtle.sign("HMAC", key, bytes(block ? `${message}:${block}` : message));
    for (let at = 0; at < 32; at += 8) {
      const word = new DataView(told).getBigUint64(at);
      if (word < fair) return at_weight(word % sum, weights);
    }
  }
}

function at_weight(number, weights) {
  let reached = 0n;
  return weights.findIndex((weight) => number < (reached += weight));
}
