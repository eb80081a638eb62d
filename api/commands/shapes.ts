import { Type } from "typebox";

import { bodyProblems, type HeaderSchemas, sometimes, storeProblems } from "../answers.ts";
import { KeyHeader, RequiredKey } from "../idempotency/key.ts";
import type { ProblemCode } from "../problem-codes.ts";

/** Headers of a command. */
export const CommandHeaders = Type.Object(KeyHeader);

/** The same of a command that isn't taken without a key: the hook `keyRequired` says so. */
export const RequiredKeyHeaders = Type.Object({ "idempotency-key": RequiredKey });

const position = Type.String({
  description: "Token of the position that the command wrote, for `Refold-Wait-For`.",
});

/** Headers of a command's answer. */
export const toldHeaders: HeaderSchemas = {
  "refold-position": position,
  "idempotency-replayed": sometimes(
    Type.Literal("true", { description: "This answer was given before, under the same key." }),
  ),
};

/** The same of a command that makes something. */
export const madeHeaders: HeaderSchemas = {
  ...toldHeaders,
  location: Type.String({ description: "Path of what was made." }),
};

/** A refusal is true as of a position too; a key that is in use has none. */
export const refusalHeaders: Readonly<Record<number, HeaderSchemas>> = {
  404: toldHeaders,
  422: { ...toldHeaders, "refold-position": sometimes(position) },
  409: { ...toldHeaders, "refold-position": sometimes(position) },
};

/** Problems of every command, where its client has no key. */
export const receivedProblems: readonly ProblemCode[] = [
  "import-in-progress",
  "storage-full",
  ...bodyProblems,
  ...storeProblems,
];

/** Problems of every command. */
export const commandProblems: readonly ProblemCode[] = [
  "idempotency-key-invalid",
  "idempotency-key-in-progress",
  "idempotency-key-reused",
  ...receivedProblems,
];
