// Opens pages in a headless Chromium and says what is wrong with them, as JSON: one
// line a page, width and colour scheme. Its screenshots and prints are for people.
//
//   node look.mjs CHROMIUM AXE OUT PAGE...
//
// It talks to Chromium through a pipe (Chrome DevTools Protocol), which needs no port
// and no package.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const WIDTHS = [360, 1024, 1920];
const SCHEMES = ["light", "dark"];
// Nothing here takes long; a browser that hangs must not hang the test.
const WITHIN = 60_000;

const [chromium, axeFile, out, ...pages] = process.argv.slice(2);
const axe = readFileSync(axeFile, "utf8");
const profile = mkdtempSync(join(out, "profile-"));
const browser = spawn(
  chromium,
  [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-pipe",
    `--user-data-dir=${profile}`,
    "about:blank",
  ],
  { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
);
const [, , , toBrowser, fromBrowser] = browser.stdio;

const waiting = new Map();
let listeners = [];
let number = 0;
let rest = "";
fromBrowser.setEncoding("utf8");
fromBrowser.on("data", (data) => {
  const messages = (rest + data).split("\0");
  rest = messages.pop();
  for (const text of messages) {
    const message = JSON.parse(text);
    if (message.id === undefined) {
      listeners.forEach((listener) => listener(message));
    } else {
      const { done, failed } = waiting.get(message.id);
      waiting.delete(message.id);
      message.error ? failed(new Error(message.error.message)) : done(message.result);
    }
  }
});

function send(method, params = {}, sessionId = undefined) {
  const id = ++number;
  toBrowser.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
  return new Promise((done, failed) => waiting.set(id, { done, failed }));
}

function event(name) {
  return new Promise((done) => {
    const listener = (message) => {
      if (message.method === name) {
        listeners = listeners.filter((other) => other !== listener);
        done(message.params);
      }
    };
    listeners.push(listener);
  });
}

async function evaluate(session, expression) {
  const answer = await send(
    "Runtime.evaluate",
    { expression, awaitPromise: true, returnByValue: true },
    session,
  );
  if (answer.exceptionDetails) {
    throw new Error(JSON.stringify(answer.exceptionDetails));
  }
  return answer.result.value;
}

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

async function look(page, width, scheme) {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const asked = [];
  const said = [];
  const listener = ({ method, params, sessionId: from }) => {
    if (from !== sessionId) return;
    if (method === "Network.requestWillBeSent") asked.push(params.request.url);
    if (method === "Log.entryAdded") said.push(params.entry.text);
    if (method === "Runtime.consoleAPICalled") said.push(JSON.stringify(params.args));
  };
  listeners.push(listener);
  for (const domain of ["Page", "Network", "Log", "Runtime"]) {
    await send(`${domain}.enable`, {}, sessionId);
  }
  const features = [{ name: "prefers-color-scheme", value: scheme }];
  await send("Emulation.setEmulatedMedia", { features }, sessionId);
  const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 };
  await send("Emulation.setDeviceMetricsOverride", metrics, sessionId);
  const loaded = event("Page.loadEventFired");
  const url = pathToFileURL(resolve(page)).href;
  await send("Page.navigate", { url }, sessionId);
  await loaded;

  const name = basename(page, ".html");
  const shot = await send(
    "Page.captureScreenshot",
    { format: "png", captureBeyondViewport: true },
    sessionId,
  );
  writeFileSync(join(out, `${name}-${width}-${scheme}.png`), Buffer.from(shot.data, "base64"));
  const layout = await evaluate(sessionId, LAYOUT);
  // What is folded is looked at as well.
  await evaluate(sessionId, `document.querySelectorAll("details").forEach((one) => one.open = true)`);
  const { wide } = await evaluate(sessionId, LAYOUT);
  await evaluate(sessionId, `${axe};0`);
  const violations = await evaluate(
    sessionId,
    `axe.run(document, { resultTypes: ["violations", "incomplete"] }).then(({ violations }) =>
       violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map((node) => node.html) })))`,
  );
  if (width === 1024 && scheme === "light") {
    const pdf = await send("Page.printToPDF", { printBackground: false }, sessionId);
    writeFileSync(join(out, `${name}.pdf`), Buffer.from(pdf.data, "base64"));
  }
  listeners = listeners.filter((other) => other !== listener);
  await send("Target.closeTarget", { targetId });
  const strange = asked.filter((one) => one !== url);
  return { page: name, width, scheme, ...layout, folded: wide, said, asked: strange, violations };
}

const late = setTimeout(() => end("it took too long"), WITHIN * pages.length);
browser.on("exit", (code) => end(`Chromium ended with ${code}`));

function end(why) {
  clearTimeout(late);
  browser.removeAllListeners("exit");
  browser.once("exit", () => {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    process.exit(why === undefined ? 0 : 1);
  });
  if (why !== undefined) console.error(why);
  if (browser.exitCode !== null) browser.emit("exit");
  else browser.kill("SIGKILL");
}

try {
  for (const page of pages) {
    for (const width of WIDTHS) {
      for (const scheme of SCHEMES) {
        console.log(JSON.stringify(await look(page, width, scheme)));
      }
    }
  }
  end();
} catch (error) {
  end(error.stack);
}
