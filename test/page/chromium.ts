import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** The lane names the program; Debian's package puts it there. */
export const chromiumPath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** A Chromium of its own, with pages that remember whatever went wrong in them. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #faults: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async open(): Promise<TestBrowser> {
    // The sandbox needs rights that root in a container hasn't; the pages are our own.
    const args = ["--no-sandbox", "--disable-dev-shm-usage"];
    return new TestBrowser(await chromium.launch({ executablePath: chromiumPath, args }));
  }

  /** A page in a browser profile of its own. */
  async page(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    page.on("pageerror", (error) => this.#faults.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      // Answers above 399 are told by the browser itself; what the page makes of them is tested.
      const isAnswer = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isAnswer) this.#faults.push(message.text());
    });
    await page.goto(url);
    return page;
  }

  /** Errors and violations of the content policy since the last call. */
  takeFaults(): string[] {
    return this.#faults.splice(0);
  }

  async closePages(): Promise<void> {
    await Promise.all(this.#browser.contexts().map((context) => context.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** Rules of WCAG 2.2 A and AA, and good practice, that the page breaks as it stands now. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  const path = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  const session = await page.context().newCDPSession(page);
  // By the debugger's own door: the page's content policy would keep a script from being added.
  const { result } = await session.send("Runtime.evaluate", {
    expression: `${readFileSync(path, "utf8")}; axe.run().then((found) => JSON.stringify(
      found.violations.map(({ id, nodes }) => id + ": " + nodes.map((n) => n.html).join(" | "))))`,
    awaitPromise: true,
  });
  await session.detach();
  return JSON.parse(String(result.value)) as readonly string[];
}
