// Opens pages in a headless Chromium and says what is wrong with them, as JSON: one
// line a page, width and colour scheme. Its screenshots and prints are for people.
//
//   node look.mjs CHROMIUM AXE OUT PAGE...

import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { browse } from "./chromium.mjs";

const WIDTHS = [360, 1024, 1920];
const SCHEMES = ["light", "dark"];
// Nothing here takes long; a browser that hangs must not hang the test.
const WITHIN = 60_000;

const [chromium, axe, out, ...pages] = process.argv.slice(2);

// What a person would see as broken: a page wider than the window, a box whose text
// runs out of it.
const LAYOUT = `(() => {
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  const out = [...document.querySelectorAll("body *")]
    .filter((one) => !one.closest(".heard") && !one.closest("details:not([open])"))
    .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1)
    .map((one) => one.tagName + "." + (one.getAttribute("class") ?? ""));
  const tight = [...document.querySelectorAll("svg g.node")].flatMap((node) => {
    const box = node.querySelector("rect").getBoundingClientRect();
    return [...node.querySelectorAll("text")]
      .filter((text) => {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        return left < box.left || right > box.right || top < box.top || bottom > box.bottom;
      })
      .map((text) => text.textContent);
  });
  return { wide, out, tight };
})()`;

async function look(open, page, width, scheme) {
  const tab = await open({ width, scheme });
  const url = pathToFileURL(resolve(page)).href;
  const seen = await tab.visit(url);
  const name = basename(page, ".html");
  await tab.screenshot(join(out, `${name}-${width}-${scheme}.png`));
  const layout = await tab.evaluate(LAYOUT);
  // What is folded is looked at as well.
  await tab.unfold();
  const { wide: folded } = await tab.evaluate(LAYOUT);
  const violations = await tab.violations();
  if (width === 1024 && scheme === "light") await tab.print(join(out, `${name}.pdf`));
  await tab.close();
  const { said } = seen;
  const asked = seen.asked.filter((one) => one !== url);
  return { page: name, width, scheme, ...layout, folded, said, asked, violations };
}

await browse({ chromium, axe, out, within: WITHIN * pages.length }, async (open) => {
  for (const page of pages) {
    for (const width of WIDTHS) {
      for (const scheme of SCHEMES) {
        console.log(JSON.stringify(await look(open, page, width, scheme)));
      }
    }
  }
});
