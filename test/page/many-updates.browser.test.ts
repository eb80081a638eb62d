import { afterAll, beforeAll, expect, test } from "vitest";

import { PageFiles } from "../../api/page/files.ts";
import { TestBrowser } from "./chromium.ts";

let browser: TestBrowser;

beforeAll(async () => {
  browser = await TestBrowser.open();
});

afterAll(() => browser[Symbol.asyncDispose]());

const modules = 200;
const updatesPerSecond = 1_000;
const seconds = 4;

/**
 * Stands in for the server inside the page: 200 modules, and a stream that tells 1,000 changes a
 * second, a hundredth of a second's worth at a time.
 */
const standIn = `
const modules = Array.from({ length: ${modules} }, (_, i) => {
  const moduleCode = "M-" + String(i).padStart(3, "0");
  return { moduleCode, title: "Module " + i, feeCents: 0, opensAt: null, closesAt: null };
});
const json = (body) => new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
const seats = (moduleCode, confirmed) =>
  ({ moduleCode, capacity: 100000, held: 0, confirmed, available: 100000 - confirmed });
window.told = 0;
const stream = () => new Response(new ReadableStream({
  start(out) {
    const encoder = new TextEncoder();
    const from = performance.now();
    const timer = setInterval(() => {
      const due = Math.min(((performance.now() - from) / 1000) * ${updatesPerSecond}, ${updatesPerSecond * seconds});
      let text = "";
      for (; window.told < due; window.told += 1) {
        const data = { ...seats(modules[window.told % ${modules}].moduleCode, window.told), sourcePosition: btoa("1|s|module-events:0=" + window.told.toString(36)) };
        text += "event: SeatAvailableChanged\\ndata: " + JSON.stringify(data) + "\\n\\n";
      }
      if (text !== "") out.enqueue(encoder.encode(text));
    }, 10);
  },
}), { headers: { "content-type": "text/event-stream" } });
window.fetch = async (path) => {
  if (path === "/page/settings") return json({ access: "sessions" });
  if (path.startsWith("/modules?")) return json({ modules, next: null });
  if (path.endsWith("/availability")) return json({ ...seats(path.split("/")[2], 0), position: null });
  return path === "/registration-updates" ? stream() : new Response("{}", { status: 404 });
};
`;

test("1,000 updates a second of 200 modules leave the page free for whoever uses it", async () => {
  const files = new PageFiles();
  const page = await browser.page("about:blank");
  await page.addInitScript(standIn);
  await page.context().route("http://page.test/**", async (route) => {
    const name = new URL(route.request().url()).pathname.replace(/^\/(page\/)?/, "");
    const file = await files.find(name === "" ? "index.html" : name);
    if (file === undefined) return route.fulfill({ status: 404 });
    return route.fulfill({ body: file.body, contentType: file.media });
  });
  const debug = await page.context().newCDPSession(page);
  // Processor time of the page's main thread, which other work on the machine doesn't lengthen.
  await debug.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.goto("http://page.test/");
  const row = page.locator(`tr[data-module="M-199"] .number strong`);
  // The last update is of the last module.
  await row.getByText(String(100_000 - updatesPerSecond * seconds + 1)).waitFor();
  const { metrics } = await debug.send("Performance.getMetrics");
  const took = (name: string) => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  const [all, script] = [took("TaskDuration"), took("ScriptDuration")];
  const share = all / seconds;
  const percent = `${Math.round(share * 100)} % of a processor`;
  process.stdout.write(`the page took ${percent}, ${script.toFixed(2)} s of it for scripts\n`);
  expect(share).toBeLessThan(0.5);
  expect(browser.takeFaults()).toEqual([]);
});
