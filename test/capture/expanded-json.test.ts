import { expect, test } from "vitest";

import { connectText } from "../../connectors/capture/routing/connect-text.ts";
import { expandedJson } from "../../connectors/capture/routing/expanded-json.ts";

function told(text: string): string | null | undefined {
  const expanded = expandedJson(text, "left-out");
  return expanded && connectText(expanded.type, expanded.encoded, "json");
}

test("a document becomes a record of its own fields, without those that are null", () => {
  expect(told('{"a":1,"n":null,"o":{"x":"y"},"l":["p",null],"e":[],"b":true,"w":1.0}')).toBe(
    '{"a":1,"o":{"x":"y"},"l":["p",null],"b":true,"w":1.0}',
  );
});

test("numbers take the type that they need", () => {
  const expanded = expandedJson('{"i":2147483647,"l":2147483648,"d":1e3}', "left-out");
  expect(expanded?.type).toMatchObject({
    name: "payload",
    fields: [{ type: ["null", "int"] }, { type: ["null", "long"] }, { type: ["null", "double"] }],
  });
});

test("records in an array are one type with the fields of all", () => {
  expect(told('{"l":[{"a":1},{"b":"x"}]}')).toBe('{"l":[{"a":1,"b":null},{"a":null,"b":"x"}]}');
});

test.each(['"text"', "[1,2]", "no json", '{"l":[1,"x"]}', "{"])("%s stays as it is", (text) => {
  expect(told(text)).toBeUndefined();
});
