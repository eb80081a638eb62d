/** One request of a scenario, and what its answer must be. */
export interface Step {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly rawBody?: string;
  readonly expectStatus?: number;
  readonly error_code?: number;
  readonly expectJsonSubset?: Readonly<Record<string, unknown>>;
  readonly expectHasField?: readonly string[];
  readonly expectNotHasField?: readonly string[];
  readonly expectBodyContains?: readonly string[];
  readonly expectBodyNotContains?: readonly string[];
  readonly expectArrayLength?: number;
  readonly expectArrayContains?: readonly unknown[];
  readonly expectArrayNotContains?: readonly unknown[];
  readonly expectInteger?: number;
  readonly expectValidJson?: boolean;
  readonly expectMessageMatches?: string;
  /** The length of an array, or `true` for any. */
  readonly expectFieldArray?: Readonly<Record<string, number | true>>;
  readonly expectHeaderContains?: Readonly<Record<string, string>>;
  /** Variable by field: `{{variable}}` stands for its value from then on. */
  readonly store?: Readonly<Record<string, string>>;
  readonly expectEqualsStored?: Readonly<Record<string, string>>;
  readonly expectNotEqualsStored?: Readonly<Record<string, string>>;
  readonly expectStoredGreaterThan?: Readonly<Record<string, number>>;
}

export interface Scenario {
  readonly id: string;
  readonly name: string;
  readonly steps: readonly Step[];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export type Call = (step: Pick<Step, "method" | "path" | "body" | "rawBody">) => Promise<Answer>;

/** The first step whose answer is another, and how; undefined: all are as they must be. */
export async function faultOf(scenario: Scenario, call: Call): Promise<string | undefined> {
  const stored = new Map<string, unknown>();
  for (const [index, step] of scenario.steps.entries()) {
    const answer = await call(filled(step, stored) as Step);
    const faults = [...faultsOfAnswer(step, answer, stored)];
    if (faults.length === 0) continue;
    const place = `${scenario.id} (${scenario.name}), step ${index + 1}`;
    return `${place}: ${step.method} ${step.path}: ${faults.join("; ")} <- ${answer.text}`;
  }
  return undefined;
}

/** With the value of each variable in place of its name. */
function filled(value: unknown, stored: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === "string") {
    return value.replaceAll(/\{\{(\w+)\}\}/g, (name, key: string) =>
      stored.has(key) ? String(stored.get(key)) : name,
    );
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, stored));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, filled(item, stored)]),
  );
}

type Stored = Map<string, unknown>;

function* faultsOfAnswer(step: Step, answer: Answer, stored: Stored): Generator<string> {
  if (step.expectStatus !== undefined && answer.status !== step.expectStatus) {
    yield `status ${answer.status}, not ${step.expectStatus}`;
  }
  const json = jsonOf(answer.text);
  if (step.expectValidJson === true && json === undefined) yield "the body is not JSON";
  const members = isRecord(json) ? json : {};
  yield* faultsOfMembers(step, members);
  yield* faultsOfText(step, answer);
  yield* faultsOfArray(step, { json, text: answer.text, stored });
  yield* faultsOfStored(step, members, stored);
}

function* faultsOfMembers(
  step: Step,
  members: Readonly<Record<string, unknown>>,
): Generator<string> {
  const expected = { ...step.expectJsonSubset };
  if (step.error_code !== undefined) expected["error_code"] = step.error_code;
  for (const [name, value] of Object.entries(expected)) {
    if (members[name] !== value) yield `${name} is ${String(members[name])}, not ${String(value)}`;
  }
  for (const name of step.expectHasField ?? []) {
    if (!(name in members)) yield `there is no ${name}`;
  }
  for (const name of step.expectNotHasField ?? []) {
    if (name in members) yield `there is a ${name}`;
  }
  for (const [name, length] of Object.entries(step.expectFieldArray ?? {})) {
    const array = members[name];
    const right = Array.isArray(array) && (length === true || array.length === length);
    if (!right) yield `${name} is no array of the right length`;
  }
  const { expectMessageMatches: pattern } = step;
  if (pattern !== undefined && !new RegExp(pattern).test(String(members["message"]))) {
    yield `the message doesn't match ${pattern}`;
  }
}

function* faultsOfText(step: Step, answer: Answer): Generator<string> {
  for (const part of step.expectBodyContains ?? []) {
    if (!answer.text.includes(part)) yield `the body lacks ${part}`;
  }
  for (const part of step.expectBodyNotContains ?? []) {
    if (answer.text.includes(part)) yield `the body has ${part}`;
  }
  const { expectInteger } = step;
  if (expectInteger !== undefined && answer.text.trim() !== String(expectInteger)) {
    yield `the body is not ${expectInteger}`;
  }
  for (const [name, part] of Object.entries(step.expectHeaderContains ?? {})) {
    const header = answer.headers[name.toLowerCase()];
    if (typeof header !== "string" || !header.includes(part)) yield `${name} lacks ${part}`;
  }
}

interface Seen {
  readonly json: unknown;
  readonly text: string;
  readonly stored: Stored;
}

function* faultsOfArray(step: Step, { json, text, stored }: Seen): Generator<string> {
  const empty = ["", "null"].includes(text.trim()) ? [] : undefined;
  const array = Array.isArray(json) ? json.map(String) : undefined;
  const { expectArrayLength: length } = step;
  if (length !== undefined && (array ?? empty)?.length !== length) {
    yield `the array has ${array?.length ?? "no"} items, not ${length}`;
  }
  for (const item of step.expectArrayContains ?? []) {
    if (array?.includes(String(filled(item, stored))) !== true)
      yield `the array lacks ${String(item)}`;
  }
  for (const item of step.expectArrayNotContains ?? []) {
    if (array?.includes(String(item)) === true) yield `the array has ${String(item)}`;
  }
}

function* faultsOfStored(
  step: Step,
  members: Readonly<Record<string, unknown>>,
  stored: Stored,
): Generator<string> {
  for (const [variable, name] of Object.entries(step.store ?? {})) {
    if (!(name in members)) yield `there is no ${name} to keep`;
    stored.set(variable, members[name]);
  }
  const same = (name: string, variable: string): boolean =>
    String(members[name]) === String(stored.get(variable));
  for (const [name, variable] of Object.entries(step.expectEqualsStored ?? {})) {
    if (!same(name, variable)) yield `${name} is not ${variable}`;
  }
  for (const [name, variable] of Object.entries(step.expectNotEqualsStored ?? {})) {
    if (same(name, variable)) yield `${name} is ${variable}`;
  }
  for (const [variable, least] of Object.entries(step.expectStoredGreaterThan ?? {})) {
    if (!(Number(stored.get(variable)) > least)) yield `${variable} is not above ${least}`;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
