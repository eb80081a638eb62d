import { expect, test } from "vitest";

import { AvroWriter } from "../../connectors/capture/avro-writer.ts";
import { captureConfigOf } from "../../connectors/capture/debezium-config/index.ts";
import { text } from "../../connectors/capture/types/plain.ts";
import { placeholderOf } from "../../connectors/capture/types/placeholder.ts";
import { rewritten, type Rewrite } from "../../connectors/capture/types/rewritten.ts";
import { rewriteOf } from "../../connectors/capture/tables/selection.ts";

const unlimited = { schema: "pg_catalog", name: "text", modifier: -1, array: false } as const;

function told(
  rewrite: Rewrite,
  value: string,
  type: typeof unlimited | object = unlimited,
): string {
  const plain = text("string", placeholderOf("__debezium_unavailable_value"));
  const converter = rewritten(plain, rewrite, { ...unlimited, ...type });
  const writer = new AvroWriter();
  const bytes = Buffer.from(value, "utf8");
  converter.write(writer, bytes, 0, bytes.length);
  const written = writer.finish();
  return written.subarray(written.length > 65 ? 2 : 1).toString("utf8");
}

const hash = {
  kind: "hash",
  algorithm: "sha256",
  salt: "CzQMA0cB5K",
  input: "serialized",
} as const;

test("texts are cut by UTF-16 units, and half a pair is written as Java writes it", () => {
  const rewrite = { kind: "truncate", length: 3 } as const;
  expect(told(rewrite, "abcdef")).toBe("abc");
  expect(told(rewrite, "äöüß€")).toBe("äöü");
  expect(told(rewrite, "ab😀")).toBe("ab?");
  expect(told(rewrite, "abcdef", { modifier: 3 + 4 })).toBe("abcdef");
});

test("a hash is that of a recording, and cut to the column's length", () => {
  const whole = "3c341f915eb5a3cd3b23f6971feb9c44a9bfc6493bf8c08c24e85a207875e719";
  expect(told(hash, "hash me")).toBe(whole);
  expect(told(hash, "hash me", { modifier: 20 + 4 })).toBe(whole.slice(0, 20));
  expect(told({ ...hash, input: "text" }, "hash me")).toBe(
    "a0cf216a11ca354a086fef834a915433db45151eac23ad32b84decb6bbc47c81",
  );
});

test("of several options that name a column the first kind counts; unknown digests are refused", () => {
  const { columns = {} } = captureConfigOf({
    "column.mask.with.0.chars": "public.t.(a|b)",
    "column.truncate.to.2.chars": "public.t.b",
    "column.mask.hash.v2.SHA-512.with.salt.a.b": "public.t.c",
  });
  expect(rewriteOf(columns, "public.t.a")).toEqual({ kind: "mask", text: "" });
  expect(rewriteOf(columns, "public.t.b")).toEqual({ kind: "truncate", length: 2 });
  expect(rewriteOf(columns, "public.t.c")).toEqual({
    kind: "hash",
    algorithm: "sha512",
    salt: "a.b",
    input: "text",
  });
  expect(rewriteOf(columns, "public.t.d")).toBeUndefined();
  expect(() => captureConfigOf({ "column.mask.hash.NONE.with.salt.x": "a" })).toThrow(
    /no digest has the name NONE/,
  );
});
