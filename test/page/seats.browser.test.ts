import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { register } from "../e2e/refold-instance.ts";
import { accessibilityFaults, TestBrowser } from "./chromium.ts";
import { RunningRefold } from "./running-refold.ts";

let running: RunningRefold;
let browser: TestBrowser;

beforeAll(async () => {
  [running, browser] = await Promise.all([RunningRefold.start(), TestBrowser.open()]);
  await running.offer({ code: "AA-100", title: "Algebra", capacity: 3 });
});

afterEach(async () => {
  await browser.closePages();
  expect(browser.takeFaults()).toEqual([]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
});

const free = (page: Page, code: string) => page.locator(`tr[data-module="${code}"] .number strong`);

/** Becomes a student, on a server that asks nobody to sign in. */
async function comeAs(page: Page, student: string): Promise<void> {
  await page.getByLabel("Student id").fill(student);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText(`Student ${student}`).waitFor();
}

test("a seat that one browser takes is gone from another's page within a second", async () => {
  await running.offer({ code: "SEEN-1", capacity: 7 });
  const [one, other] = await Promise.all([browser.page(running.url), browser.page(running.url)]);
  await free(other, "SEEN-1").getByText("7").waitFor();
  await comeAs(one, "seen-1");
  // Each student of a row: the first registration of a process compiles what all others use.
  const seenMs: number[] = [];
  for (const left of [6, 5, 4, 3]) {
    const button = one.getByRole("button", { name: /Register for SEEN-1/ });
    await button.waitFor();
    const isSeen = other.evaluate(untilFree("SEEN-1", left));
    const clickedAt = performance.now();
    await button.click();
    await isSeen;
    seenMs.push(Math.round(performance.now() - clickedAt));
    await one.locator('.own [data-status="completed"]').waitFor();
    await one.getByRole("button", { name: "Someone else" }).click();
    await comeAs(one, `seen-${left}`);
  }
  process.stdout.write(`seen by the other browser after ${seenMs.join(", ")} ms\n`);
  const [, ...warm] = seenMs;
  expect(Math.max(...warm)).toBeLessThan(1_000);
});

/** In the page: resolves with the change itself, where polling would add its pause. */
const untilFree = (code: string, seats: number): string => `new Promise((resolve) => {
  const number = () => document.querySelector('tr[data-module="${code}"] .number strong');
  const look = () => number()?.textContent === "${seats}" && (observer.disconnect(), resolve());
  const observer = new MutationObserver(look);
  observer.observe(document.body, { subtree: true, childList: true, characterData: true });
  look();
})`;

test("a student waits for a full module, is offered the seat that gets free, and takes it", async () => {
  await running.offer({ code: "FULL-1", capacity: 1 });
  const { body } = await register(running.url, "FULL-1", "first");
  const page = await browser.page(running.url);
  await comeAs(page, "second");
  await page.getByRole("button", { name: /Wait for FULL-1/ }).click();
  await page.getByText("In line, place 1").waitFor();
  await fetch(`${running.url}/registrations/${String(body["registrationId"])}`, {
    method: "DELETE",
  });
  await page.getByRole("button", { name: "Take the seat" }).click();
  await page.locator('.own [data-status="completed"]').waitFor();
});

test("a student pays for a held seat by card, withdraws, and is told what was paid back", async () => {
  await running.offer({ code: "PAID-1", feeCents: 12_500 });
  const page = await browser.page(running.url);
  await comeAs(page, "payer");
  await page.getByRole("button", { name: /Register for PAID-1/ }).click();
  await page.getByRole("button", { name: "Pay 125.00 for PAID-1" }).click();
  await page.locator('.own [data-status="completed"]').waitFor();
  await page.getByText("125.00 paid.").waitFor();
  await page.getByRole("button", { name: "Withdraw from PAID-1" }).click();
  await page.getByText("Ended (1)").click();
  await page.getByText("125.00 was paid back.").waitFor();
});

test("the whole way to a registration is walked with the keyboard alone", async () => {
  await running.offer({ code: "KEYS-1" });
  const page = await browser.page(running.url);
  await free(page, "KEYS-1").waitFor();
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Skip to the seats");
  await tabTo(page, "Student id");
  await page.keyboard.type("typist");
  await page.keyboard.press("Enter");
  await page.getByText("Student typist").waitFor();
  await tabTo(page, "Find a module");
  await page.keyboard.type("KEYS");
  await tabTo(page, "Register for KEYS-1, Module KEYS-1");
  expect(await hasVisibleFocus(page)).toBe(true);
  await page.keyboard.press("Enter");
  await page.locator('.own [data-status="completed"]').waitFor();
  // Nothing holds the focus: it comes round to the beginning of the page.
  await tabTo(page, "Skip to the seats");
});

/** The accessible name of what has the focus, as far as these pages need it. */
async function focused(page: Page): Promise<string> {
  const name = await page.evaluate<string | null>(`(() => {
    const element = document.activeElement;
    const label = element.labels?.[0] ?? element;
    return element.getAttribute("aria-label") ?? label.textContent;
  })()`);
  return (name ?? "").trim();
}

async function tabTo(page: Page, name: string): Promise<void> {
  const met: string[] = [];
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (at === name) return;
    met.push(at);
  }
  throw new Error(`Tab never comes to ${name}, but to: ${met.join(", ")}`);
}

const hasVisibleFocus = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>(`(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
  })()`);

test("a title that is HTML is shown as text", async () => {
  const title = `<img src=x onerror="document.title='taken'"><b>bold</b> & "quoted" \${html}`;
  await running.offer({ code: "<i>EVIL", title });
  const page = await browser.page(running.url);
  const row = page.locator("tr", { hasText: "<i>EVIL" });
  await row.getByText("10 of 10").waitFor();
  expect(await row.locator(".title").textContent()).toBe(title);
  expect(await row.locator("img, b, i").count()).toBe(0);
  expect(await page.title()).toBe("Module registration");
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [320, 1_280]) {
    test(`at ${width} px in ${colorScheme} colours nothing is inaccessible or cut off`, async () => {
      const viewport = { width, height: 700 };
      const page = await browser.page(running.url, { viewport, colorScheme });
      await comeAs(page, "looker");
      await page.getByRole("button", { name: /Register for AA-100/ }).waitFor();
      await page.getByRole("heading", { name: "Processors and projections" }).waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      const widths = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
      expect(widths).toEqual([width, width]);
    });
  }
}

test("a page outlives its server: it says so, comes back by itself, and shows what was missed", async () => {
  await running.offer({ code: "BACK-1", capacity: 5 });
  const page = await browser.page(running.url);
  const link = page.locator("#link");
  await free(page, "BACK-1").getByText("5").waitFor();
  await link.getByText("Live").waitFor();
  await running.kill();
  await link.getByText("Reconnecting").waitFor();
  await link.getByText(/as of \d+ s ago/).waitFor({ timeout: 30_000 });
  await running.start();
  // Before the page is back, perhaps.
  await register(running.url, "BACK-1", "meanwhile");
  await link.getByText("Live").waitFor({ timeout: 30_000 });
  await free(page, "BACK-1").getByText("4").waitFor();
});

test("the system's figures come as it works, and a rebuild is begun and followed", async () => {
  const page = await browser.page(running.url);
  await page.locator(".consumers").getByText("seat-availability").waitFor();
  await page.locator(".figures").getByText("0/s").first().waitFor();
  await page.locator("caption", { hasText: "Registrations:" }).waitFor();
  await page.getByRole("combobox", { name: "Projection" }).selectOption("registrations");
  await page.getByLabel("Reason").fill("to see that it is equal");
  await page.getByRole("button", { name: "Rebuild", exact: true }).click();
  const rebuild = page.locator('.rebuilds [data-state="swapped"]').first();
  await rebuild.waitFor({ timeout: 60_000 });
  expect(await rebuild.textContent()).toMatch(/all \d+ rows are the same/);
  expect(await rebuild.textContent()).toContain("to see that it is equal");
});
