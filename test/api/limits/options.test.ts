import { describe, expect, it } from "vitest";

import { apiOptions, defaultApiOptions } from "../../../api/index.ts";
import { limitsOf } from "../../../bin/limits.ts";
import { givenLimits } from "../../../bin/environment.ts";

describe("options of the API", () => {
  it("are the defaults where nothing is given", () => {
    expect(apiOptions()).toEqual(defaultApiOptions);
  });

  it("are refused together, each fault by name", () => {
    const given = { bodyBytesMax: 0, waitForMs: 2 ** 31, pageSizeDefault: 900, silentMs: 14_999 };
    expect(() => apiOptions(given)).toThrow(
      /bodyBytesMax must be .*waitForMs must be at most .*pageSizeDefault \(900\) is above pageSizeMax \(500\).*heartbeatMs \(15000\) is above silentMs/,
    );
  });

  it("never let the first guess exceed the most", () => {
    expect(() => apiOptions({ underWayMax: 60, underWayMin: 20 })).toThrow(
      "underWayFirst (1000) is above",
    );
  });
});

describe("limits of the command line and the environment", () => {
  it("are taken by name, the command line's last", () => {
    const texts = givenLimits(["bodyBytesMax=2", "studentModuleLimit=unlimited"], {
      REFOLD_LIMITS: "bodyBytesMax=1, keepAliveMs=7,",
    });
    expect(limitsOf(texts)).toMatchObject({
      bodyBytesMax: 2,
      keepAliveMs: 7,
      studentModuleLimit: "unlimited",
    });
  });

  it.each([
    ["a name that no limit has", "bodyBytes=1", "no limit in"],
    ["a name of JavaScript's own", "__proto__=1", "no limit in"],
    ["no value", "bodyBytesMax", "no limit in"],
    ["what is no number", "bodyBytesMax=1e3", "takes a whole number"],
    ["a number that doesn't fit", "bodyBytesMax=0", "must be a positive integer"],
  ])("are refused for %s", (_, text, message) => {
    expect(() => limitsOf([text])).toThrow(message);
  });
});
