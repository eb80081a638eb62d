import type { TagFields } from "../topic.ts";

/**
 * The tags of an event: `<kind>:<id>` for every field that the topic names, in nested records and
 * arrays too, each once. A null or missing id gives none.
 */
export function tagsOf(fields: TagFields, event: unknown): string[] {
  const tags = new Set<string>();
  collect(fields, event, tags);
  return [...tags];
}

function collect(fields: TagFields, value: unknown, tags: Set<string>): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if (Array.isArray(value)) {
    for (const element of value) collect(fields, element, tags);
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (kind === undefined) collect(fields, inner, tags);
    else for (const id of Array.isArray(inner) ? inner : [inner]) add(kind, id, tags);
  }
}

function add(kind: string, id: unknown, tags: Set<string>): void {
  if (typeof id === "string" || typeof id === "number" || typeof id === "bigint") {
    tags.add(`${kind}:${id}`);
  }
}
