import { expect, test } from "vitest";

import { lazySerializers } from "../../api/serializers.ts";

test("a serializer is compiled at its first use, and once", () => {
  const compiled: string[] = [];
  const compile = lazySerializers(() => ({ url }) => {
    compiled.push(url);
    return (body) => JSON.stringify(body);
  })();
  const used = compile({ method: "GET", url: "/used", httpStatus: "200" });
  compile({ method: "GET", url: "/unused", httpStatus: "404" });
  expect(compiled).toEqual([]);
  expect([used({ a: 1 }), used({ a: 2 })]).toEqual(['{"a":1}', '{"a":2}']);
  expect(compiled).toEqual(["/used"]);
});
