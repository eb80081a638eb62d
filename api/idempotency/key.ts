import type { FastifyRequest } from "fastify";
import { Type } from "typebox";

import { ProblemError } from "../problem.ts";

const charactersMax = 255;

/** A string of RFC 8941; the draft asks for this form. */
const quotedPattern = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** What many clients send: a UUID or random text, without the quotes. */
const barePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z:/=]+$/;

/**
 * Value of the header of a command that may be sent again without being done again
 * (draft-ietf-httpapi-idempotency-key-header-07). Its form is looked at by `idempotencyKeyOf`, so
 * that what is wrong with it has a code of its own.
 */
export const RequiredKey = Type.String({
  description:
    "Chosen by the client, 1 to 255 characters, quoted or bare: sent again with the same key and " +
    "the same request, the command gets its first answer.",
});

export const KeyHeader = { "idempotency-key": Type.Optional(RequiredKey) };

/**
 * The client's key; undefined where it sent none. The quoted and the bare form of a text are one
 * key.
 *
 * @throws ProblemError 400 `idempotency-key-invalid`.
 */
export function idempotencyKeyOf({ headers }: Pick<FastifyRequest, "headers">): string | undefined {
  const given = headers["idempotency-key"];
  if (given === undefined) return undefined;
  const key = textOf(String(given));
  if (key !== undefined && key.length >= 1 && key.length <= charactersMax) return key;
  throw new ProblemError({
    status: 400,
    code: "idempotency-key-invalid",
    detail:
      `Idempotency-Key takes one text of 1 to ${charactersMax} characters in quotes, such as ` +
      `"8e03978e-40d5-43dd-bc93-6894a57f9324", or the same without quotes.`,
  });
}

function textOf(header: string): string | undefined {
  const quoted = quotedPattern.exec(header)?.[1];
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/g, "$1");
  return barePattern.test(header) ? header : undefined;
}
