import { Type } from "typebox";

import type { SchemaReference, SubjectSchema } from "../../engine/ports/subject-registry.ts";
import { nullable } from "../shapes.ts";

/** The body of every refusal. */
export const RegistryError = Type.Object({ error_code: Type.Integer(), message: Type.String() });

const Reference = Type.Object({
  name: Type.String(),
  subject: Type.String(),
  version: Type.Integer(),
});

const optionally = <Schema extends Parameters<typeof nullable>[0]>(schema: Schema) =>
  Type.Optional(nullable(schema));

/** A schema that is registered, looked up or checked. What else clients send is not looked at. */
export const SchemaRequest = Type.Object({
  schema: optionally(Type.String()),
  schemaType: optionally(Type.String()),
  references: optionally(Type.Array(Reference)),
  id: optionally(Type.Integer()),
  version: optionally(Type.Integer()),
});

export const RegisteredAnswer = Type.Object({
  id: Type.Integer(),
  version: Type.Integer(),
  schema: Type.String(),
  references: Type.Optional(Type.Array(Reference)),
});

export const SubjectSchemaAnswer = Type.Object({
  subject: Type.String(),
  version: Type.Integer(),
  id: Type.Integer(),
  schema: Type.String(),
  references: Type.Optional(Type.Array(Reference)),
});

export const SchemaAnswer = Type.Object({
  schema: Type.String(),
  references: Type.Optional(Type.Array(Reference)),
  maxId: Type.Optional(Type.Integer()),
});

export const ConfigRequest = Type.Object({
  compatibility: optionally(Type.String()),
  normalize: optionally(Type.Boolean()),
});

export const ConfigUpdateAnswer = Type.Object({
  compatibility: Type.Optional(Type.String()),
  normalize: Type.Optional(Type.Boolean()),
});

export const ConfigAnswer = Type.Object({
  compatibilityLevel: Type.String(),
  normalize: Type.Optional(Type.Boolean()),
});

export const ModeRequest = Type.Object({ mode: Type.String() });
export const ModeAnswer = Type.Object({ mode: Type.String() });

export const CompatibilityAnswer = Type.Object({
  is_compatible: Type.Boolean(),
  messages: Type.Optional(Type.Array(Type.String())),
});

/** Confluent leaves out references where there are none, and the type where it is Avro. */
export function referencesMember(references: readonly SchemaReference[]): object {
  return references.length === 0 ? {} : { references };
}

export function subjectSchemaShape(found: SubjectSchema): object {
  const { subject, version, id, schema, references } = found;
  return { subject, version, id, ...referencesMember(references), schema };
}
