import { expect, it } from "vitest";

import { clientOf } from "../../../api/limits/client.ts";

it.each([
  ["127.0.0.1", "127.0.0.1"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["::1", "0:0:0:0::/64"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:0db8::1", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  [undefined, "unknown"],
  ["made-up", "unknown"],
  ["10.1.2.3:80", "unknown"],
])("counts %s as %s", (address, client) => {
  expect(clientOf(address)).toBe(client);
});
