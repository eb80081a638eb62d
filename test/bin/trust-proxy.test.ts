import { spawnSync } from "node:child_process";

import { expect, test } from "vitest";

import { trustedProxiesOf } from "../../bin/trust-proxy.ts";
import { projectRoot } from "../support/source-tree.ts";

test("nobody is trusted where nothing is said", () => {
  expect(trustedProxiesOf(undefined)).toBeUndefined();
});

test("proxies are counted, or named by addresses and networks", () => {
  expect(trustedProxiesOf("1")).toBe(1);
  expect(trustedProxiesOf("32")).toBe(32);
  expect(trustedProxiesOf("10.0.0.7, 10.1.0.0/16,fd00::/8,::1")).toEqual([
    "10.0.0.7",
    "10.1.0.0/16",
    "fd00::/8",
    "::1",
  ]);
});

test.each([
  ["", '""'],
  ["0", '"0"'],
  ["33", '"33"'],
  ["-1", '"-1"'],
  ["true", '"true"'],
  ["proxy.example", '"proxy.example"'],
  ["10.0.0.7,", '""'],
  ["10.0.0.0/33", '"10.0.0.0/33"'],
  ["10.0.0.0/8/8", '"10.0.0.0/8/8"'],
  ["0.0.0.0/0,::/0", '"0.0.0.0/0", "::/0"'],
])("%j is refused, and what is wrong about it named", (text, wrong) => {
  expect(() => trustedProxiesOf(text)).toThrow(`not ${wrong}.`);
  expect(() => trustedProxiesOf(text)).toThrow(expect.objectContaining({ exit: "usage" }));
});

test("the command says so in one sentence, and ends with 2", { timeout: 60_000 }, () => {
  const given = ["--", "bin/main.ts", "api", "--trust-proxy", "everybody"];
  const { status, stderr } = spawnSync(process.execPath, given, {
    cwd: projectRoot,
    encoding: "utf8",
  });
  expect(stderr).toMatch(/^refold: --trust-proxy .* not "everybody"\.\n$/);
  expect(status).toBe(2);
});
