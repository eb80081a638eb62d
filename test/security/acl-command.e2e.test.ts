import { expect, test } from "vitest";

import { refold } from "../e2e/refold-process.ts";

test("a role's own principal is used, and what is none is refused with exit code 2", async () => {
  const [one, wrong, alone] = await Promise.all([
    refold(["doctor", "--acl", "--json", "--principal", "worker=User:ann"]),
    refold(["doctor", "--acl", "--principal", "worker=User:a'b"]),
    refold(["doctor", "--principal", "worker=User:ann"]),
  ]);
  const printed = JSON.parse(one.out) as readonly { role: string; principal: string }[];
  expect(new Set(printed.map(({ role, principal }) => `${role} ${principal}`))).toEqual(
    new Set(["worker User:ann"]),
  );
  expect(wrong).toMatchObject({ code: 2, out: "" });
  expect(wrong.err).toContain("--principal takes role=Type:name");
  expect(alone).toMatchObject({ code: 2, err: "refold: --principal goes with --acl.\n" });
});
