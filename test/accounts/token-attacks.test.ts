import { describe, expect, test } from "vitest";

import { hmacWith, partsOf, signedWith, strangeKey } from "./forge.ts";
import { resigned, tokenStage, withMembers } from "./token-stage.ts";

const claims = ["iss", "aud", "sub", "jti", "role", "iat", "nbf", "exp"];

const wrong: readonly (readonly [string, unknown])[] = [
  ["iss", "somebody"],
  ["aud", "somebody"],
  ["aud", ["refold"]],
  ["aud", ["refold", "somebody"]],
  ["sub", ""],
  ["sub", 7],
  ["jti", ""],
  ["jti", null],
  ["role", "root"],
  ["role", "toString"],
  ["role", ["admin"]],
  ["iat", "0"],
  ["iat", 0.5],
  ["nbf", null],
  ["exp", "9999999999"],
  ["exp", 1e300],
];

describe("claims", () => {
  test.each(claims)("are all demanded: %s", async (claim) => {
    const { key, good, refusal } = await tokenStage();
    const token = resigned(key, good, ({ payload }) => ({
      payload: withMembers(payload, { [claim]: undefined }),
    }));
    expect(await refusal(token)).toBe("claims");
  });

  test.each(wrong)("are of the right kind: %s is not %j", async (claim, value) => {
    const { key, good, refusal } = await tokenStage();
    const token = resigned(key, good, ({ payload }) => ({
      payload: withMembers(payload, { [claim]: value }),
    }));
    expect(await refusal(token)).toBe("claims");
  });

  test("stand once: a name that stands twice is refused, whichever reader would win", async () => {
    const { key, good, refusal } = await tokenStage();
    for (const twice of ['{"role":"admin",', '{"sub":"s-2",', '{"role":"student",']) {
      const token = resigned(key, good, ({ payload }) => ({ payload: twice + payload.slice(1) }));
      expect(await refusal(token), twice).toBe("malformed");
    }
  });

  test("are an object", async () => {
    const { key, good, refusal } = await tokenStage();
    for (const payload of ["", "null", "[]", '"text"', "7", "{", '{"a":1}x', "\u0000"]) {
      const token = resigned(key, good, () => ({ payload }));
      expect(await refusal(token), payload).toBe("malformed");
    }
  });
});

describe("the algorithm is ours", () => {
  test.each(["none", "None", "NONE", "", "HS256", "ES256", "RS256", "Ed25519", "eddsa"])(
    "%j is refused",
    async (alg) => {
      const { key, good, refusal } = await tokenStage();
      const token = resigned(key, good, ({ header }) => ({ header: withMembers(header, { alg }) }));
      expect(await refusal(token)).toBe("signature");
      const [head, body] = token.split(".");
      expect(await refusal(`${head}.${body}.`)).toBe("malformed");
    },
  );

  test("HS256 with the public key as the secret is refused", async () => {
    const { good, refusal, tokens, stored } = await tokenStage();
    const parts = partsOf(good);
    const { x = "" } = stored.privateJwk;
    const { keys } = await tokens.publicKeys();
    const secrets = [x, Buffer.from(x, "base64url"), JSON.stringify(keys[0])];
    for (const secret of secrets) {
      const header = withMembers(parts.header, { alg: "HS256" });
      expect(await refusal(hmacWith(secret, { ...parts, header }))).toBe("signature");
      expect(await refusal(hmacWith(secret, parts))).toBe("signature");
    }
  });
});

describe("the key is ours", () => {
  test("another key's signature under a known id is refused", async () => {
    const { good, refusal } = await tokenStage();
    expect(await refusal(signedWith(strangeKey().privateKey, partsOf(good)))).toBe("signature");
  });

  test.each(["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "cty", "x"])(
    "a header with %s is refused, even when all else is right",
    async (member) => {
      const { key, good, refusal } = await tokenStage();
      const strange = strangeKey();
      const values: Readonly<Record<string, unknown>> = {
        jwk: strange.publicKey.export({ format: "jwk" }),
        jku: "http://127.0.0.1:1/keys",
        crit: ["exp"],
        b64: true,
      };
      const change = ({ header }: { readonly header: string }) => ({
        header: withMembers(header, { [member]: values[member] ?? "a" }),
      });
      expect(await refusal(resigned(key, good, change))).toBe("malformed");
      expect(await refusal(resigned(strange.privateKey, good, change))).toBe("malformed");
    },
  );

  test.each([undefined, "", 7, null, "a b", "../../key", "'; drop table", "a".repeat(101)])(
    "a key id that can't be one of ours is refused: %j",
    async (kid) => {
      const { key, good, refusal } = await tokenStage();
      const token = resigned(key, good, ({ header }) => ({ header: withMembers(header, { kid }) }));
      expect(await refusal(token)).toBe("malformed");
    },
  );

  test("an id that no key has is refused", async () => {
    const { key, good, refusal } = await tokenStage();
    for (const kid of ["unknown", "__proto__", "constructor"]) {
      const token = resigned(key, good, ({ header }) => ({ header: withMembers(header, { kid }) }));
      expect(await refusal(token)).toBe("key-unknown");
    }
  });

  test.each([undefined, "at+jwt", "jwt", "JWE", 7])("the type is JWT, not %j", async (typ) => {
    const { key, good, refusal } = await tokenStage();
    const token = resigned(key, good, ({ header }) => ({ header: withMembers(header, { typ }) }));
    expect(await refusal(token)).toBe("malformed");
  });
});

describe("the text is as we write it", () => {
  test("a change of any character is refused", async () => {
    const { good, refusal } = await tokenStage();
    for (let at = 0; at < good.length; at += 1) {
      const other = good[at] === "A" ? "B" : "A";
      const token = good.slice(0, at) + other + good.slice(at + 1);
      expect(await refusal(token), String(at)).not.toBe("accepted");
    }
  });

  test("padding, blanks, other alphabets and spare bits in the last character are refused", async () => {
    const { good, refusal } = await tokenStage();
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 64 bytes leave four bits unused in the last of 86 characters.
    const spare = alphabet[alphabet.indexOf(good.at(-1) ?? "") + 1] ?? "";
    const [header = "", payload = "", signature = ""] = good.split(".");
    const bytes = (text: string): Buffer => Buffer.from(text, "base64url");
    expect(bytes(signature.slice(0, -1) + spare)).toEqual(bytes(signature));
    const forms = [
      good.slice(0, -1) + spare,
      `${good}=`,
      `${good}==`,
      `${header}=.${payload}.${signature}`,
      ` ${good}`,
      `${good}\n`,
      `${header}.${payload}\t.${signature}`,
      `${header}.${payload}.${signature.replaceAll("-", "+").replaceAll("_", "/")}`,
    ].filter((form) => form !== good);
    for (const form of forms) expect(await refusal(form), form).toBe("malformed");
  });

  test("three parts, none empty", async () => {
    const { good, refusal } = await tokenStage();
    const [header, payload, signature] = good.split(".");
    const forms = ["", ".", "..", "a.b", `${good}.`, `.${good}`, `${good}.${good}`, "a.b.c.d.e"];
    for (const form of [...forms, `${header}..${signature}`, `.${payload}.${signature}`]) {
      expect(await refusal(form), form).toBe("malformed");
    }
    expect(await refusal(`${header}.${payload}.`)).toBe("malformed");
  });

  test("a header with blanks or a name that stands twice is refused", async () => {
    const { key, good, refusal } = await tokenStage();
    const changes = [` {"a":1}`, `{"alg":"none",`, `{"alg":"EdDSA",`, `{ `];
    for (const begin of changes) {
      const token = resigned(key, good, ({ header }) => ({ header: begin + header.slice(1) }));
      expect(await refusal(token), begin).toBe("malformed");
    }
  });

  test("a token of more than 2,048 bytes is refused before it is looked into", async () => {
    const { key, good, refusal } = await tokenStage();
    const long = resigned(key, good, ({ payload }) => ({
      payload: withMembers(payload, { sub: "s".repeat(2_000) }),
    }));
    expect(await refusal(long)).toBe("too-large");
    expect(await refusal("a".repeat(2_049))).toBe("too-large");
    expect(await refusal(`${"a".repeat(1_022)}.${"a".repeat(1_022)}.a`)).toBe("malformed");
    expect(await refusal(".".repeat(50_000_000))).toBe("too-large");
  });
});
