// A headless Chromium, told what to do through a pipe (Chrome DevTools Protocol), which
// needs no port and no package.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// Starts one, gives `work` a function that opens a tab, and ends this process when that
// is done: with 1 where it failed, or took longer than `within` milliseconds.
export async function browse({ chromium, axe, out, within }, work) {
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
  const late = setTimeout(() => end("it took too long"), within);
  browser.on("exit", (code) => end(`Chromium ended with ${code}`));
  const send = connect(browser);

  function end(why) {
    clearTimeout(late);
    browser.removeAllListeners("exit");
    browser.once("exit", () => {
      try {
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
      } catch {
        // One of the processes of a browser that was killed still writes into it.
      }
      process.exit(why === undefined ? 0 : 1);
    });
    if (browser.exitCode !== null) browser.emit("exit");
    else if (why === undefined) send("Browser.close").catch(() => {});
    else browser.kill("SIGKILL");
    if (why !== undefined) console.error(why);
  }

  try {
    const source = readFileSync(axe, "utf8");
    await work((window) => open(send, source, window));
    end();
  } catch (error) {
    end(error.stack);
  }
}

// What sends a command to the browser and waits for the answer.
function connect(browser) {
  const [, , , toBrowser, fromBrowser] = browser.stdio;
  const waiting = new Map();
  let number = 0;
  let rest = "";
  const send = (method, params = {}, sessionId = undefined) => {
    const id = ++number;
    toBrowser.write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((done, failed) => waiting.set(id, { done, failed }));
  };
  send.listeners = new Set();
  fromBrowser.setEncoding("utf8");
  fromBrowser.on("data", (data) => {
    const messages = (rest + data).split("\0");
    rest = messages.pop();
    for (const text of messages) {
      const message = JSON.parse(text);
      if (message.id === undefined) {
        send.listeners.forEach((listener) => listener(message));
      } else {
        const { done, failed } = waiting.get(message.id);
        waiting.delete(message.id);
        message.error ? failed(new Error(message.error.message)) : done(message.result);
      }
    }
  });
  return send;
}

// A tab of this width and colour scheme.
async function open(send, axe, { width, scheme }) {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const call = (method, params) => send(method, params, sessionId);
  // What was asked for, what was refused, and what the browser had to say, since the
  // page was opened.
  const seen = { asked: [], refused: [], said: [] };
  let loaded = () => {};
  const listener = ({ method, params, sessionId: from }) => {
    if (from !== sessionId) return;
    if (method === "Page.loadEventFired") loaded();
    if (method === "Network.requestWillBeSent") seen.asked.push(params.request.url);
    if (method === "Network.loadingFailed") seen.refused.push(params.errorText);
    if (method === "Network.responseReceived" && params.response.status >= 400) {
      seen.refused.push(`${params.response.status} ${params.response.url}`);
    }
    if (method === "Log.entryAdded") seen.said.push(params.entry.text);
    if (method === "Runtime.consoleAPICalled") seen.said.push(JSON.stringify(params.args));
    if (method === "Runtime.exceptionThrown") {
      seen.said.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    }
  };
  send.listeners.add(listener);
  for (const domain of ["Page", "Network", "Log", "Runtime"]) await call(`${domain}.enable`);
  const features = [{ name: "prefers-color-scheme", value: scheme }];
  await call("Emulation.setEmulatedMedia", { features });
  const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 };
  await call("Emulation.setDeviceMetricsOverride", metrics);

  const tab = {
    call,
    // Does what opens a page, and waits until it is there.
    async leads(act) {
      Object.assign(seen, { asked: [], refused: [], said: [] });
      const there = new Promise((done) => (loaded = done));
      await act();
      await there;
      return seen;
    },
    visit: (url) =>
      tab.leads(async () => {
        const { errorText } = await call("Page.navigate", { url });
        if (errorText) throw new Error(`${url}: ${errorText}`);
      }),
    async evaluate(expression, userGesture = false) {
      const answer = await call("Runtime.evaluate", {
        expression,
        awaitPromise: true,
        returnByValue: true,
        userGesture,
      });
      if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
      return answer.result.value;
    },
    async screenshot(file) {
      const { data } = await call("Page.captureScreenshot", {
        format: "png",
        captureBeyondViewport: true,
      });
      writeFileSync(file, Buffer.from(data, "base64"));
    },
    async print(file) {
      const { data } = await call("Page.printToPDF", { printBackground: false });
      writeFileSync(file, Buffer.from(data, "base64"));
    },
    // What axe-core finds that someone could not use.
    async violations() {
      await tab.evaluate(`window.axe === undefined && ${axe};0`);
      return tab.evaluate(
        `axe.run(document, { resultTypes: ["violations", "incomplete"] }).then(({ violations }) =>
           violations.map(({ id, impact, help, nodes }) =>
             ({ id, impact, help, at: nodes.map((node) => node.html) })))`,
      );
    },
    unfold: () =>
      tab.evaluate(`document.querySelectorAll("details").forEach((one) => one.open = true)`),
    async close() {
      send.listeners.delete(listener);
      await send("Target.closeTarget", { targetId });
    },
  };
  return tab;
}
