import { randomUUID } from "node:crypto";

import { FatalError } from "../../../engine/errors.ts";
import type { RegistryClient } from "./registry-client.ts";

/**
 * Where a registry keeps the name that we gave it. Confluent's interface knows no identity, and an
 * address is none: a server that moves keeps its ids, and a new one behind an old address has others.
 */
export const identitySubject = "refold-registry-identity";

/** Its first version's record is named after the registry. */
const namePattern = /^registry_([0-9a-f]{32})$/;

/**
 * The registry's name, given to it when it is first asked for. Of several that name it at once, the
 * one whose schema became the first version is meant by all.
 */
export async function giveIdentity(client: RegistryClient): Promise<string> {
  const known = await readIdentity(client);
  if (known !== undefined) return known;
  const name = `registry_${randomUUID().replaceAll("-", "")}`;
  const schema = JSON.stringify({ type: "record", name, fields: [] });
  // A refusal is looked into below: another process may have been first.
  const answer = await client.post(`/subjects/${identitySubject}/versions`, { schema });
  const made = await readIdentity(client);
  if (made !== undefined) return made;
  const why = answer.kind === "refused" ? `: ${answer.code}, ${answer.message}` : "";
  throw new FatalError(
    "registry-unnamed",
    `The schema registry can't be given a name under the subject ${identitySubject}${why}.`,
    "Allow that subject to be written, or delete what else is under it.",
  );
}

/** undefined: it has no name yet. */
export async function readIdentity(client: RegistryClient): Promise<string | undefined> {
  const found = await client.get(`/subjects/${identitySubject}/versions/1`);
  if (found.kind === "refused") return undefined;
  const { schema = "" } = found.body as { readonly schema?: string };
  return namePattern.exec(recordName(schema))?.[1];
}

function recordName(schema: string): string {
  try {
    const { name } = JSON.parse(schema) as { readonly name?: unknown };
    return typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}
