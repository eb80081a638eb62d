import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { accessibilityFaults, TestBrowser } from "./chromium.ts";
import { RunningRefold } from "./running-refold.ts";

let running: RunningRefold;
let browser: TestBrowser;
/** By account. */
const passwords = new Map<string, string>();

beforeAll(async () => {
  const environment = { REFOLD_AUTH: "on" };
  [running, browser] = await Promise.all([RunningRefold.start(environment), TestBrowser.open()]);
  await running.offer({ code: "IN-1" });
  for (const [name, role] of [
    ["ada", "student"],
    ["bea", "student"],
    ["root", "admin"],
    ["eve", "viewer"],
  ] as const) {
    const told = await running.command("users", "add", name, "--role", role, "--json");
    passwords.set(name, (JSON.parse(told) as { password: string }).password);
  }
});

afterEach(async () => {
  await browser.closePages();
  expect(browser.takeFaults()).toEqual([]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
});

async function signIn(page: Page, kind: "Student" | "Staff", name: string): Promise<void> {
  await page.getByLabel(kind, { exact: true }).check();
  await page.getByLabel("Student id or user name").fill(name);
  await page.getByLabel("Password").fill(passwords.get(name) ?? "");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText(name, { exact: true }).waitFor();
}

test("a wrong password is refused in words, and nothing of it stays in the form", async () => {
  const page = await browser.page(running.url);
  await page.getByLabel("Student id or user name").fill("ada");
  await page.getByLabel("Password").fill("not it");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator('.sign-in [role="alert"]').waitFor();
  expect(await page.getByLabel("Password").inputValue()).toBe("");
  expect(page.url()).toBe(`${running.url}/`);
  expect(await accessibilityFaults(page)).toEqual([]);
});

test("a student who has signed in registers, sees nothing of the system, and signs out", async () => {
  const page = await browser.page(running.url);
  await signIn(page, "Student", "ada");
  await page.getByRole("button", { name: /Register for IN-1/ }).click();
  await page.locator('.own [data-status="completed"]').waitFor();
  expect(await page.getByRole("heading", { name: "The system" }).isVisible()).toBe(false);
  expect(await accessibilityFaults(page)).toEqual([]);
  const kept = await page.evaluate(
    "[localStorage.length, sessionStorage.length, document.cookie].join()",
  );
  expect(kept).toBe("0,0,");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Password").waitFor();
  expect(await page.locator(".own").count()).toBe(0);
});

test("a reload forgets who had signed in", async () => {
  const page = await browser.page(running.url);
  await signIn(page, "Student", "bea");
  await page.reload();
  await page.getByLabel("Password").waitFor();
});

test("a session that is revoked from elsewhere is told, and its streams end", async () => {
  const [student, staff] = [await browser.page(running.url), await browser.page(running.url)];
  await signIn(student, "Student", "bea");
  await signIn(staff, "Staff", "eve");
  await staff.locator(".consumers").waitFor();
  await running.command("sessions", "revoke", "--of", "bea");
  await running.command("sessions", "revoke", "--of", "eve");
  for (const page of [student, staff]) {
    const told = page.getByRole("alert").getByText("was ended from elsewhere");
    await told.waitFor({ timeout: 20_000 });
    await page.getByLabel("Password").waitFor();
  }
  expect(await staff.locator(".consumers").count()).toBe(0);
});

test("a session whose time is over is told", async () => {
  const page = await browser.page(running.url);
  await page.clock.install();
  await page.reload();
  await page.clock.runFor(1_000);
  await signIn(page, "Student", "ada");
  await page.clock.fastForward("16:00");
  await page.getByRole("alert").getByText("has expired").waitFor();
});

test("a viewer watches without being able to rebuild; an admin rebuilds", async () => {
  const [viewer, admin] = [await browser.page(running.url), await browser.page(running.url)];
  await signIn(viewer, "Staff", "eve");
  await viewer.locator(".consumers").waitFor();
  expect(await viewer.getByRole("button", { name: "Rebuild", exact: true }).count()).toBe(0);
  await signIn(admin, "Staff", "root");
  await admin.getByRole("combobox", { name: "Projection" }).selectOption("payments");
  await admin.getByLabel("Reason").fill("to see it go");
  await admin.getByRole("button", { name: "Rebuild", exact: true }).click();
  await viewer.locator('.rebuilds [data-state="swapped"]').waitFor({ timeout: 60_000 });
});
