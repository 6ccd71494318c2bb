// A diagnosis on standard input, the same with what attackers log in every text of it on standard output.
//   node hostile.mjs tests/hostile.json < diagnosis.json > hostile.json
import { readFileSync } from "node:fs";

const corpus = JSON.parse(readFileSync(process.argv[2], "utf8"));
const own = new Set(["cause", "scope", "impact", "known_by", "refreshing"]);
// Some times stay, so that drawings are drawn.
const needed = new Set(["start", "end", "time", "channel", "tone", "kind", "issued", "expires", "from"]);
let count = 0;
const poisoned = (value, key) => {
  if (Array.isArray(value)) return value.map((one) => poisoned(one, key));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, key === "by_cause" ? one : poisoned(one, key)]));
  }
  if (typeof value !== "string" || own.has(key)) return value;
  count += 1;
  return needed.has(key) && count % 3 ? value : corpus[count % corpus.length];
};
process.stdout.write(JSON.stringify(poisoned(JSON.parse(readFileSync(0, "utf8")), "")));
