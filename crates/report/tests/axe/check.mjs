// An accessibility run over reports, by hand:
//
//     cargo run -p blackrod-report --example sample -- sample.html
//     npm install --no-save playwright-core axe-core
//     CHROMIUM=/usr/bin/chromium node crates/report/tests/axe/check.mjs sample.html
//
// At two widths and in the dark, with every drawer open; ends with 1 if anything is violated.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve("package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
let violations = 0;
for (const file of process.argv.slice(2)) {
  for (const [width, colorScheme] of [[1280, "light"], [390, "light"], [1280, "dark"]]) {
    // The page's own policy would keep axe out.
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true, reducedMotion: "reduce" });
    page.on("request", (request) => {
      if (!/^(file|data):/.test(request.url())) throw new Error(`the report asked for ${request.url()}`);
    });
    await page.goto(`file://${resolve(file)}`);
    await page.evaluate(() => {
      for (const drawer of document.querySelectorAll("details")) drawer.open = true;
      document.getElementById("finding-list")?.scrollIntoView();
    });
    await page.waitForTimeout(1000);
    await page.evaluate(axe);
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const result = await page.evaluate((values) => globalThis.axe.run({ runOnly: values }), tags);
    violations += result.violations.length;
    console.log(`${file} ${width} ${colorScheme}: ${result.violations.length} violations, ${result.passes.length} passes`);
    for (const { id, help, nodes } of result.violations) console.log(`  ${id}: ${help} (${nodes.length}, first ${nodes[0].html})`);
    await page.close();
  }
}
await browser.close();
process.exit(violations > 0 ? 1 : 0);
