import { SchemaError } from "./errors.ts";

export const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface QualifiedName {
  readonly fullName: string;
  readonly shortName: string;
  readonly namespace: string;
}

/** The name of a type definition; one without a namespace takes that of the type around it. */
export function nameOf(
  json: Readonly<Record<string, unknown>>,
  place: { readonly path: string; readonly namespace: string },
): QualifiedName {
  const { name, namespace } = json;
  if (typeof name !== "string")
    throw new SchemaError(place.path, "a record, enum or fixed has a name");
  if (namespace !== undefined && namespace !== null && typeof namespace !== "string") {
    throw new SchemaError(place.path, "a namespace is text");
  }
  return qualified(name, namespace ?? place.namespace, place.path);
}

/** A dotted name is a full name; any other falls into the namespace. */
function qualified(name: string, namespace: string, path: string): QualifiedName {
  const dot = name.lastIndexOf(".");
  const shortName = name.slice(dot + 1);
  const space = dot < 0 ? namespace : name.slice(0, dot);
  const parts = space === "" ? [shortName] : [...space.split("."), shortName];
  if (!parts.every((part) => namePattern.test(part))) {
    throw new SchemaError(path, `${JSON.stringify(parts.join("."))} is not a name`);
  }
  return { fullName: parts.join("."), shortName, namespace: space };
}

/** Aliases as full names: one without a dot is in the namespace of the type that it belongs to. */
export function aliasesOf(value: unknown, namespace: string, path: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new SchemaError(path, "aliases are a list of names");
  return value.map((alias) => {
    if (typeof alias !== "string") throw new SchemaError(path, "an alias is a name");
    return qualified(alias, namespace, path).fullName;
  });
}
