import { isRecord } from "./fields.ts";

/** One thing that is not alike. */
export interface Difference {
  /** The event's number in the recording's order, from 1; 0 for what concerns the whole run. */
  readonly seq: number;
  readonly topic: string;
  /** Names of fields, from the event: `value.after.n`. */
  readonly path: string;
  readonly recorded: unknown;
  readonly ours: unknown;
}

/** Where a thing is missing on one side. */
export const absent = Symbol("absent");

const textMax = 300;

export function differenceText({ seq, topic, path, recorded, ours }: Difference): string {
  const where = seq === 0 ? path : `event ${seq} (${topic}): ${path}`;
  return `${where}: recorded ${shown(recorded)}, ours ${shown(ours)}`;
}

function shown(value: unknown): string {
  if (value === absent) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > textMax ? `${text.slice(0, textMax)}...` : text;
}

/** All paths at which two values differ; objects' fields count in their order. */
export function* unlike(
  path: string,
  recorded: unknown,
  ours: unknown,
): Generator<Pick<Difference, "path" | "recorded" | "ours">> {
  if (isRecord(recorded) && isRecord(ours)) {
    yield* unlikeFields(path, recorded, ours);
  } else if (Array.isArray(recorded) && Array.isArray(ours)) {
    yield* unlikeItems(path, recorded, ours);
  } else if (!Object.is(recorded, ours)) {
    yield { path, recorded, ours };
  }
}

function* unlikeFields(
  path: string,
  recorded: Readonly<Record<string, unknown>>,
  ours: Readonly<Record<string, unknown>>,
): ReturnType<typeof unlike> {
  const [names, ourNames] = [Object.keys(recorded), Object.keys(ours)];
  const together = new Set([...names, ...ourNames]);
  let found = false;
  for (const name of together) {
    const field = (of: Readonly<Record<string, unknown>>): unknown =>
      Object.hasOwn(of, name) ? of[name] : absent;
    for (const difference of unlike(`${path}.${name}`, field(recorded), field(ours))) {
      found = true;
      yield difference;
    }
  }
  if (!found && names.join("\n") !== ourNames.join("\n")) {
    yield { path: `${path} (order of fields)`, recorded: names, ours: ourNames };
  }
}

function* unlikeItems(
  path: string,
  recorded: readonly unknown[],
  ours: readonly unknown[],
): ReturnType<typeof unlike> {
  const [fields, ourFields] = [byName(recorded), byName(ours)];
  if (fields && ourFields) {
    yield* unlikeNamed(path, fields, ourFields);
    return;
  }
  const length = Math.max(recorded.length, ours.length);
  for (let index = 0; index < length; index++) {
    const item = (of: readonly unknown[]): unknown => (index < of.length ? of[index] : absent);
    yield* unlike(`${path}[${index}]`, item(recorded), item(ours));
  }
}

/** A schema's fields by their names; undefined for any other list. */
function byName(items: readonly unknown[]): ReadonlyMap<string, unknown> | undefined {
  const named = new Map<string, unknown>();
  for (const item of items) {
    if (!isRecord(item) || typeof item["name"] !== "string") return undefined;
    named.set(item["name"], item);
  }
  return named.size === items.length ? named : undefined;
}

/** One field too few or too many is one difference, and none of those that follow it. */
function* unlikeNamed(
  path: string,
  recorded: ReadonlyMap<string, unknown>,
  ours: ReadonlyMap<string, unknown>,
): ReturnType<typeof unlike> {
  const item = (of: ReadonlyMap<string, unknown>, name: string): unknown =>
    of.has(name) ? of.get(name) : absent;
  for (const name of new Set([...recorded.keys(), ...ours.keys()])) {
    yield* unlike(`${path}[${name}]`, item(recorded, name), item(ours, name));
  }
  const names = [...recorded.keys()].filter((name) => ours.has(name));
  const ourNames = [...ours.keys()].filter((name) => recorded.has(name));
  if (names.join("\n") !== ourNames.join("\n")) {
    yield { path: `${path} (order)`, recorded: names, ours: ourNames };
  }
}
