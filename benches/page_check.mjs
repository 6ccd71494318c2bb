// Opens pages in a real headless Chromium: no request but for the page itself, no console error, no violation of axe-core's rules up
// to level AA in light and dark, readable with scripts off, nothing of a hostile log runs. Writes screenshots and a PDF.
//   node page_check.mjs MODULES OUT PAGE.html…      MODULES holds playwright-core and axe-core
import { createRequire } from "node:module";
import { readFileSync, mkdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";

const [modules, out, ...pages] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "x.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
let failed = 0;
const check = (holds, what) => { if (!holds) { failed += 1; console.log(`  FAILED ${what}`); } };

for (const file of pages) {
  const url = "file://" + resolve(file);
  const name = basename(file, ".html");
  console.log(name);
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ colorScheme, offline: true, viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    const asked = [], errors = [];
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) errors.push(message.text()); });
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("dialog", (dialog) => { errors.push("a dialog: " + dialog.message()); dialog.dismiss(); });
    await page.addInitScript(() => { window.alert = () => { window.probe = 1; }; });
    const begin = Date.now();
    await page.goto(url, { waitUntil: "load" });
    const took = Date.now() - begin;
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1);
    console.log(`  ${colorScheme}: loaded in ${took} ms, first paint at ${Math.round(paint)} ms`);
    check(took < 2000, `opens in ${took} ms`);
    for (const width of [1440, 768, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(wide <= 0, `${width} px: the page is ${wide} px too wide`);
      await page.screenshot({ path: join(out, `${name}-${colorScheme}-${width}.png`) });
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    if (readFileSync(file).length < 1e6) await page.screenshot({ path: join(out, `${name}-${colorScheme}-full.png`), fullPage: true });
    // axe-core comes through the debugger, which no policy of the page forbids. It takes minutes on thousands of incidents, which are
    // all alike: of more than five hundred it looks at the first fifty, and at all else. The first is open.
    await page.evaluate(axe + ";0");
    const begun = Date.now();
    const every = await page.locator("#every > details").count();
    const left = every > 500 ? every - 50 : 0;
    const found = await page.evaluate((left) => {
      const more = "#every > details:nth-of-type(n+51)";
      const first = document.querySelector("#every > details");
      if (first) first.open = true;
      const where = left ? { include: [["html"]], exclude: [[more]] } : document;
      return window.axe.run(where, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    }, left);
    for (const one of found.violations) {
      check(false, `axe ${one.id} (${one.impact}): ${one.nodes.length}× ${one.nodes[0].html.slice(0, 160)} — ${one.nodes[0].failureSummary?.split("\n")[1] ?? ""}`);
    }
    console.log(`  ${colorScheme}: axe ${found.passes.length} rules passed, ${found.violations.length} violated, in ${Date.now() - begun} ms${left ? `; without the last ${left} incidents` : ""}`);
    // What the script adds.
    const zone = page.locator("#zone");
    check((await zone.count()) === 1, "no zone switch");
    // What a hostile log gives for a time is shown as it is.
    const stated = page.locator('time[datetime^="20"]');
    const times = await stated.count();
    const before = times ? await stated.first().textContent() : "";
    if (times && (await zone.locator("option").count()) > 2) {
      await zone.selectOption("app");
      check(before !== (await stated.first().textContent()), "the zone switch changes no time");
      await zone.selectOption("utc");
      check(before === (await stated.first().textContent()), "the zone switch does not come back");
    }
    if (await page.locator("#words").count()) {
      const all = await page.locator("#every > details").count();
      await page.fill("#words", "no such incident anywhere");
      check((await page.locator("#every > details:visible").count()) === 0, "the filter leaves something");
      await page.fill("#words", "");
      check((await page.locator("#every > details:visible").count()) === all, "the filter does not come back");
    }
    const sort = page.locator("button.sort").first();
    if (await sort.count()) {
      await sort.click();
      check((await page.locator("[aria-sort=ascending]").count()) === 1, "sorting says nothing");
    }
    check(!(await page.evaluate(() => window.probe)), "something of the log ran");
    check(asked.length === 1 && asked[0] === url, `asks for ${asked.slice(1)}`);
    check(errors.length === 0, errors.slice(0, 3).join(" | "));
    if (colorScheme === "light") await page.pdf({ path: join(out, `${name}.pdf`), format: "A4" });
    await context.close();
  }
  const plain = await browser.newContext({ javaScriptEnabled: false, offline: true, viewport: { width: 1440, height: 900 } });
  const page = await plain.newPage();
  await page.goto(url);
  check((await page.locator("h1").textContent()).length > 10, "no verdict with scripts off");
  const buttons = await page.locator("button, select, input").count();
  check(buttons === 0, `${buttons} controls that do nothing with scripts off`);
  const incident = page.locator("#every > details").first();
  if (await incident.count()) {
    await incident.locator("summary").click();
    check(await incident.locator(".anchor").isVisible(), "an incident does not open with scripts off");
  }
  await page.screenshot({ path: join(out, `${name}-noscript.png`) });
  await plain.close();
}
await browser.close();
console.log(failed ? `${failed} FAILED` : "all well");
process.exit(failed ? 1 : 0);
