// Reads a book in a headless Chromium as its readers do, and says what is wrong with it,
// as JSON: one line a page, width and colour scheme, and then one for each other thing
// that was tried. Its screenshots are for people.
//
//   node book.mjs CHROMIUM AXE OUT URL PAGE...
//
// Every page that a link leads to is opened, beginning with those that are named. These
// are also opened at every width and in both schemes.

import { join } from "node:path";
import { browse } from "./chromium.mjs";

const WIDTHS = [360, 1024, 1366, 1920];
const SCHEMES = ["light", "dark"];
const WITHIN = 600_000;

const [chromium, axe, out, base, ...named] = process.argv.slice(2);

// The links and pictures of a page, what can be linked to in it, and whether it is wider
// than the window. Two boxes hide what is too wide: the window and the page within it.
const PAGE = `new Promise((done) => requestAnimationFrame(() => setTimeout(done))).then(() => {
  const urls = (selector, name) =>
    [...new Set([...document.querySelectorAll(selector)].map((one) => one[name]))];
  const boxes = [document.documentElement, document.querySelector(".content")];
  return {
    links: urls("a[href]", "href"),
    ids: [...document.querySelectorAll("[id]")].map((one) => one.id),
    blind: [...document.images].filter((one) => one.naturalWidth === 0).map((one) => one.src),
    wide: boxes
      .filter((box) => box && box.scrollWidth > box.clientWidth)
      .map((box) => box.scrollWidth),
  };
})`;

// What someone gets who copies the blocks of commands of a page: with the button, and by
// selecting a block from its beginning to its end.
const COPIED = `(async () => {
  const copied = [];
  for (const pre of document.querySelectorAll("pre:has(> code.language-console)")) {
    const got = async (copy) => {
      await navigator.clipboard.writeText("nothing");
      await copy();
      return navigator.clipboard.readText();
    };
    const clicked = await got(() => {
      const button = pre.querySelector(".clip-button");
      const copying = new Promise((done) => document.addEventListener("copy", done, { once: true }));
      button?.click();
      return button && copying;
    });
    const selected = await got(() => {
      getSelection().selectAllChildren(pre);
      document.execCommand("copy");
      getSelection().removeAllRanges();
    });
    copied.push({ clicked, selected });
  }
  return copied;
})()`;

const path = (url) => url.replace(base, "").split("#")[0] || "index.html";
const inside = (url) => url.startsWith(base);

async function look(tab, page, window) {
  const seen = await tab.visit(base + page);
  // What is folded is looked at as well.
  await tab.unfold();
  const found = await tab.evaluate(PAGE);
  const violations = await tab.violations();
  const asked = seen.asked.filter((url) => !inside(url) && !url.startsWith("data:"));
  const [refused, said] = [[...seen.refused], [...seen.said]];
  return { page, ...window, ...found, asked, refused, said, violations };
}

function report({ links, ids, ...rest }) {
  console.log(JSON.stringify(rest));
}

await browse({ chromium, axe, out, within: WITHIN }, async (open) => {
  // Every page once. The one that is for printing repeats all others.
  const window = { width: 1024, scheme: "light" };
  const tab = await open(window);
  await tab.call("Browser.grantPermissions", {
    origin: new URL(base).origin,
    permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"],
  });
  const pages = new Map();
  const files = new Map();
  const coming = [...named];
  for (let page = coming.shift(); page !== undefined; page = coming.shift()) {
    if (pages.has(page)) continue;
    const looked = await look(tab, page, window);
    looked.copied = await tab.evaluate(COPIED, true);
    pages.set(page, looked);
    for (const url of looked.links.filter(inside).map(path)) {
      if (files.has(url)) continue;
      const status = await tab.evaluate(
        `fetch(${JSON.stringify(base + url)}).then((answer) => answer.status)`,
      );
      files.set(url, status);
      if (status === 200 && url.endsWith(".html") && url !== "print.html") coming.push(url);
    }
  }
  for (const looked of pages.values()) {
    looked.broken = looked.links.filter(inside).filter((url) => {
      const [, id] = url.split("#");
      const there = pages.get(path(url))?.ids.includes(decodeURIComponent(id ?? ""));
      return files.get(path(url)) !== 200 || (id && there === false);
    });
    report(looked);
  }

  // Those that are named in every window.
  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) {
      const tab = await open({ width, scheme });
      for (const page of named) {
        report(await look(tab, page, { width, scheme }));
        const name = page.replaceAll("/", "-").replace(".html", "");
        await tab.screenshot(join(out, `${name}-${width}-${scheme}.png`));
      }
      await tab.close();
    }
  }

  // Somebody looks for a word.
  const search = async (word) => {
    await tab.visit(base + "index.html");
    await tab.evaluate(`document.getElementById("mdbook-search-toggle").click()`);
    await tab.evaluate(`document.getElementById("mdbook-searchbar").focus()`);
    await tab.call("Input.insertText", { text: word });
    // mdBook searches when a key comes up, or when its index comes after the text.
    for (const type of ["keyDown", "keyUp"]) {
      await tab.call("Input.dispatchKeyEvent", { type, key: "Shift" });
    }
    return tab.evaluate(`new Promise((done) => {
      const look = () => {
        const head = document.getElementById("mdbook-searchresults-header").textContent;
        if (!head) return setTimeout(look, 20);
        done([...document.querySelectorAll("#mdbook-searchresults li > a")].map((one) => one.href));
      };
      look();
    })`);
  };
  const none = await search("xyzzyxyzzy");
  const found = await search("checkpoint");
  await tab.screenshot(join(out, "search.png"));
  const violations = await tab.violations();
  await tab.leads(() =>
    tab.evaluate(`document.querySelector("#mdbook-searchresults li > a").click()`),
  );
  const marked = await tab.evaluate(
    `[location.href, document.querySelectorAll("main mark").length]`,
  );
  const searched = { none, found: found.map(path), led: path(marked[0]), marks: marked[1], violations };

  // Somebody reads for one target, and goes on to another page.
  const seen = `["local", "cluster"].map((target) =>
    [...document.querySelectorAll("pre > code." + target + ", p.for-" + target)]
      .filter((one) => one.checkVisibility()).length)`;
  await tab.visit(base + "07-sign.html");
  const both = await tab.evaluate(seen);
  await tab.evaluate(`(() => {
    const choice = document.getElementById("target-choice");
    choice.value = "local";
    choice.dispatchEvent(new Event("change"));
  })()`);
  const local = await tab.evaluate(seen);
  await tab.visit(base + "06-install.html");
  const kept = await tab.evaluate(seen);
  const choice = { both, local, kept, violations: await tab.violations() };
  await tab.screenshot(join(out, "one-target.png"));
  console.log(JSON.stringify({ search: searched, choice }));
});
