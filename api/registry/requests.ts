import { type Static, Type } from "typebox";

import type { Deleted, SubmittedVersion } from "../../engine/ports/subject-registry.ts";
import type { SchemaRequest } from "./shapes.ts";

/** The most that one list gives, as Confluent's registry has it. */
const listMax = { schemas: 1_000, subjects: 20_000 } as const;

const Flag = Type.Optional(Type.String({ description: "`true`, or anything else for no." }));
const Count = Type.Optional(Type.String({ pattern: "^-?[0-9]{1,10}$" }));

export const queryMembers = {
  deleted: Flag,
  deletedOnly: Flag,
  normalize: Flag,
  permanent: Flag,
  force: Flag,
  verbose: Flag,
  latestOnly: Flag,
  fetchMaxId: Flag,
  defaultToGlobal: Flag,
  subject: Type.Optional(Type.String()),
  subjectPrefix: Type.Optional(Type.String()),
  format: Type.Optional(Type.String()),
  offset: Count,
  limit: Count,
} as const;

export const SubjectParams = Type.Object({ subject: Type.String() });
export const VersionParams = Type.Object({ subject: Type.String(), version: Type.String() });
export const IdParams = Type.Object({ id: Type.String() });

/** As Java reads a flag in a query: only `true` is a yes. */
export const isSet = (flag: string | undefined): boolean => flag?.toLowerCase() === "true";

export function deletedOf(query: {
  readonly deleted?: string;
  readonly deletedOnly?: string;
}): Deleted {
  if (isSet(query.deletedOnly)) return "only";
  return isSet(query.deleted) ? "included" : "left-out";
}

/** What a client leaves out or sends as null is the same to it. */
export function submittedOf(
  body: Static<typeof SchemaRequest>,
  normalize: string | undefined,
): SubmittedVersion {
  const { schema, schemaType, references, id, version } = body;
  return {
    schema: schema ?? "",
    ...(schemaType ? { schemaType } : {}),
    ...(references ? { references } : {}),
    ...(typeof id === "number" && id >= 0 ? { id } : {}),
    ...(typeof version === "number" && version > 0 ? { version } : {}),
    normalize: isSet(normalize),
  };
}

/** The part of a list that is asked for; a limit below 1 means as many as there may be. */
export function pageOf<Item>(
  items: readonly Item[],
  of: keyof typeof listMax,
  query: { readonly offset?: string; readonly limit?: string },
): readonly Item[] {
  const offset = Math.max(0, Number(query.offset ?? 0));
  const asked = Number(query.limit ?? -1);
  const limit = asked > 0 ? Math.min(asked, listMax[of]) : listMax[of];
  return items.slice(offset, offset + limit);
}
