// Builds one pass over and over with passkit-generator, for as long as the job says; prints how many a second.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const job = JSON.parse(readFileSync(process.argv[2]));
const { PKPass } = await import(pathToFileURL(`${job.packages}/passkit-generator/lib/esm/index.js`));
const files = Object.fromEntries(Object.entries(job.files).map(([name, data]) => [name, Buffer.from(data, "base64")]));

const build = () => {
  const pass = new PKPass({ ...files }, job.certificates);
  for (const [language, words] of Object.entries(job.strings)) pass.localize(language, words);
  return pass.getAsBuffer();
};

for (let warm = 0; warm < 20; warm++) build();
const began = performance.now();
let made = 0;
while (performance.now() - began < job.seconds * 1000) {
  build();
  made++;
}
console.log(JSON.stringify({ rate: (made * 1000) / (performance.now() - began), pass: build().toString("base64") }));
