import type { AnyEventType, AvroRecordSchema } from "../topic.ts";

/** A function of a definition, and which of its parameters (from 0) is the event. */
export interface EventFunction {
  readonly of: unknown;
  readonly eventAt: number;
}

/**
 * The event type with those fields alone that the functions read, so that a decoder passes over the
 * others: strings that nobody looks at are the largest part of decoding. All fields stay where the
 * functions' sources leave any doubt. A writer's schema must still be readable as the whole one.
 */
export function narrowed(
  type: AnyEventType,
  functions: readonly EventFunction[],
  always: readonly string[],
): AnyEventType {
  const { fields } = type.schema;
  const known = new Set(fields.map(({ name }) => name));
  const wanted = new Set(always);
  for (const { of, eventAt } of functions) {
    const read = fieldsRead(of, eventAt);
    if (read === undefined) return type;
    for (const name of read) {
      // What is no field, such as `valueOf`, may lead to all of them.
      if (!known.has(name)) return type;
      wanted.add(name);
    }
  }
  const kept = fields.filter((field) => wanted.has(field.name) || definesName(field.type));
  if (kept.length === fields.length) return type;
  const schema: AvroRecordSchema = { ...type.schema, fields: kept };
  return { ...type, schema, contract: type.contract ?? type.schema };
}

/** A later field may refer to the type that an earlier one defines. */
function definesName(type: unknown): boolean {
  if (typeof type !== "object" || type === null) return false;
  return "name" in type || Object.values(type).some(definesName);
}

const part = String.raw`[\p{ID_Continue}$\u200c\u200d]`;
const headPattern = /^(?:function\b)?\s*[\w$]*\s*\(([^()]*)\)/;
const singlePattern = /^([\w$]+)\s*=>/;
const parameterPattern = /\s*(?:([\w$]+)|\{([^{}]*)\})\s*(?:,|$)/y;
const bindingPattern = /^\s*([\w$]+)\s*(?::\s*[\w$]+\s*)?$/;

/**
 * The names of the fields that a function reads of one of its parameters, found in its source;
 * undefined: perhaps all. It reads no field unseen: every place where the parameter's name stands
 * must be followed by a field's (`event.studentId`), or take fields apart (`const { at } = event`),
 * comments and texts included; anything else (handing it on, spreading it, `arguments`, `eval`,
 * defaults, rest) counts as reading all.
 */
export function fieldsRead(of: unknown, at: number): ReadonlySet<string> | undefined {
  if (typeof of !== "function") return undefined;
  const source = Function.prototype.toString.call(of);
  if (/\\u|\beval\b|\barguments\b|\[native code\]/.test(source)) return undefined;
  const head = headPattern.exec(source) ?? singlePattern.exec(source);
  const parameters = head && parametersOf(head[1] ?? "");
  if (!head || !parameters) return undefined;
  const parameter = parameters[at];
  if (parameter === undefined) return new Set();
  if (parameter.bindings !== undefined) return namesBound(parameter.bindings);
  return fieldsOf(parameter.name, source.slice(head[0].length));
}

interface Parameter {
  readonly name: string;
  /** Of a parameter that is taken apart: what stands between its braces. */
  readonly bindings: string | undefined;
}

/** undefined: one of them is more than a name, or names in braces. */
function parametersOf(list: string): readonly Parameter[] | undefined {
  const parameters: Parameter[] = [];
  parameterPattern.lastIndex = 0;
  while (parameterPattern.lastIndex < list.length) {
    const found = parameterPattern.exec(list);
    if (found === null) return undefined;
    parameters.push({ name: found[1] ?? "", bindings: found[2] });
  }
  return parameters;
}

function namesBound(bindings: string): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const binding of bindings.split(",")) {
    if (binding.trim() === "") continue;
    const name = bindingPattern.exec(binding)?.[1];
    if (name === undefined) return undefined;
    names.add(name);
  }
  return names;
}

function fieldsOf(parameter: string, body: string): ReadonlySet<string> | undefined {
  const word = `(?<!${part})${parameter.replaceAll("$", String.raw`\$`)}(?!${part})`;
  const names = new Set<string>();
  const takenApart = new RegExp(
    String.raw`\b(?:const|let|var)\s*\{([^{}]*)\}\s*=\s*${word}\s*;`,
    "gu",
  );
  let inDoubt = false;
  const rest = body.replace(takenApart, (_, bindings: string) => {
    const bound = namesBound(bindings);
    inDoubt ||= bound === undefined;
    for (const name of bound ?? []) names.add(name);
    return ";";
  });
  const uses = new RegExp(String.raw`${word}(?:\s*\??\.\s*([\w$]+)(?!${part}))?`, "gu");
  for (const [, name] of rest.matchAll(uses)) {
    if (name === undefined) return undefined;
    names.add(name);
  }
  return inDoubt ? undefined : names;
}
