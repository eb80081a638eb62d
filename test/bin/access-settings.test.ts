import { describe, expect, test } from "vitest";

import { defaultAccessLimits } from "../../api/access/contract.ts";
import { accessSettingsOf } from "../../bin/access-settings.ts";

const local = { host: "127.0.0.1" };

describe("whether somebody is asked who he is", () => {
  test("is said by an option before the environment", () => {
    expect(accessSettingsOf({ ...local, auth: "off" }, { REFOLD_AUTH: "on" })).toBe("off");
    expect(accessSettingsOf({ ...local, auth: "on" }, { REFOLD_AUTH: "off" })).not.toBe("off");
    expect(accessSettingsOf(local, { REFOLD_AUTH: "off" })).toBe("off");
    expect(accessSettingsOf(local, { REFOLD_AUTH: "on" })).not.toBe("off");
  });

  test("is on where nothing is said", () => {
    expect(accessSettingsOf(local, {})).not.toBe("off");
  });

  test.each(["", "yes", "ON", "true"])("is on or off, not %j", (auth) => {
    expect(() => accessSettingsOf({ ...local, auth }, {})).toThrow(/--auth \(REFOLD_AUTH\)/);
  });

  test.each(["0.0.0.0", "::", "192.168.1.7", "example.org"])(
    "must be on where others than this machine reach %s",
    (host) => {
      expect(() => accessSettingsOf({ host, auth: "off" }, {})).toThrow(/loopback only.*--auth on/);
      expect(accessSettingsOf({ host, auth: "on" }, {})).not.toBe("off");
    },
  );
});

describe("origins", () => {
  test("are those of the environment and of the options, each once", () => {
    const settings = { REFOLD_ORIGINS: " https://one.example ,https://two.example:8443,," };
    const origin = ["http://localhost:3000", "https://one.example"];
    expect(accessSettingsOf({ ...local, auth: "on", origin }, settings)).toEqual({
      origins: ["https://one.example", "https://two.example:8443", "http://localhost:3000"],
      limits: defaultAccessLimits,
    });
  });

  test.each([
    "*",
    "null",
    "one.example",
    "https://one.example/",
    "https://one.example/path",
    "https://one.example:443",
    "https://ONE.example",
    "https://user@one.example",
    "file:///etc",
    "ws://one.example",
  ])("are exact, as browsers send them: not %s", (origin) => {
    const ask = () => accessSettingsOf({ ...local, auth: "on", origin: [origin] }, {});
    expect(ask).toThrow(/--origin \(REFOLD_ORIGINS\)/);
  });
});

describe("sign-ins from one address", () => {
  test("are 30 a minute, or as many as an option or the environment says", () => {
    const limit = (options: object, settings: Readonly<Record<string, string>>) => {
      const access = accessSettingsOf({ ...local, auth: "on", ...options }, settings);
      return access === "off" ? undefined : access.limits.signInsPerAddress;
    };
    expect(limit({}, {})).toBe(30);
    expect(limit({}, { REFOLD_SIGN_INS: "7" })).toBe(7);
    expect(limit({ signIns: "600" }, { REFOLD_SIGN_INS: "7" })).toBe(600);
  });

  test.each(["0", "-1", "1.5", "many", "100001"])("are a whole number, not %s", (signIns) => {
    const ask = () => accessSettingsOf({ ...local, auth: "on", signIns }, {});
    expect(ask).toThrow(/--sign-ins \(REFOLD_SIGN_INS\)/);
  });
});
