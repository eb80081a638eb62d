import * as fc from "fast-check";
import { expect, test } from "vitest";

import { writeText } from "../../engine/short-text.ts";

test("a text of any length and any characters is written as UTF-8, where it is told to", () => {
  const texts = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: "grapheme", maxLength: 60 }),
  );
  fc.assert(
    fc.property(texts, fc.nat({ max: 9 }), (text, at) => {
      const buffer = Buffer.alloc(at + text.length * 3 + 1, "#");
      const bytes = writeText(buffer, text, at);
      expect(buffer.toString("utf8", at, at + bytes)).toBe(Buffer.from(text).toString());
      expect(buffer.toString("utf8", 0, at)).toBe("#".repeat(at));
    }),
  );
});
