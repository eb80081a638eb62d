import type { CommandCall, ModelOf, Refusal } from "../decision/definition.ts";
import type { AnyEventType, EventNamed, EventOf, EventTopic, NameOf } from "../topic.ts";
import type { SagaFact } from "./facts.ts";
import type { PlannedStep, SagaProgress } from "./plan.ts";

/** What a step's command is made of. */
export interface StepToDo<Input, Data> extends SagaProgress<Input, Data> {
  /** Its full name. */
  readonly step: string;
  /** Which of `each` it is; "" where there is one. */
  readonly subject: string;
  /** When it will have failed unless an end is reported; undefined: it ends at once. */
  readonly dueAtMs: number | undefined;
}

/** A try that was done and is to be undone. */
export interface StepToUndo<Input, Data> {
  readonly id: string;
  readonly input: Input;
  /** The attempt in which it was done. */
  readonly attempt: number;
  readonly step: string;
  readonly subject: string;
  /** What was kept of it. */
  readonly data: Data | undefined;
}

/** How a step is compensated. Pure, as all of a definition. */
export interface StepUndo<Input, Data> {
  /** Decided in this order, with the saga's own event about it, as one append. */
  readonly calls: (tried: StepToUndo<Input, Data>) => CommandCall | readonly CommandCall[];
  /**
   * Refusals of those calls that mean that nothing (more) is to be undone. Any other one sets the
   * record aside as a dead letter: a compensation that can't be done is a person's business.
   */
  readonly needless?: (refusal: Refusal) => boolean;
  /**
   * For an undoing that ends later: a command that is accepted once it has ended, and records
   * nothing. It is asked right after the calls, and whenever the outcome `undone` is reported. Left
   * out: the step is undone when its calls are decided.
   */
  readonly ended?: (tried: StepToUndo<Input, Data>) => CommandCall;
}

/** A step, or several side by side (`each`): isolated, none knows of another. */
export interface SagaStep<Input = unknown, Data = unknown> extends PlannedStep<Input, Data> {
  /** Refused: the step has failed, for the refusal's code and detail. */
  readonly call: (step: StepToDo<Input, Data>) => CommandCall;
  /** What later steps, and undoing it, must know of the accepted command. */
  readonly keep?: ((answer: never, step: StepToDo<Input, Data>) => Data) | undefined;
  /** Its end is reported, at the latest after so long. Left out: it ends with its command. */
  readonly reportedWithinMs?: number | undefined;
  readonly undo?: StepUndo<Input, Data> | undefined;
}

/** Declares a step; the answer of its command types `keep`. */
export function defineStep<Input, Data, Answer = unknown>(
  step: Omit<SagaStep<Input, Data>, "call" | "keep"> & {
    readonly call: (step: StepToDo<Input, Data>) => CommandCall<Answer>;
    readonly keep?: (answer: Answer, step: StepToDo<Input, Data>) => Data;
  },
): SagaStep<Input, Data> {
  return step;
}

/** What an event says of a step that waits for it. */
export interface StepReport<Data = unknown> {
  readonly sagaId: string;
  /** The step's full name. */
  readonly step: string;
  /** Is it about the try of which this was kept? Left out: it is about the latest. */
  readonly isOf?: (data: Data) => boolean;
  /** `undone` asks whether its undoing has ended (`StepUndo.ended`). */
  readonly outcome:
    | { readonly kind: "done" | "undone" }
    | { readonly kind: "failed"; readonly reason: string; readonly detail: string };
}

/** Events of other topics that report on steps. */
export interface SagaReports<Data = unknown> {
  readonly from: EventTopic;
  readonly on: Readonly<Record<string, (event: never) => StepReport<Data> | undefined>>;
}

/** What events of a topic say of a saga's steps; undefined: nothing of this saga's. */
export function reportsFrom<Types extends AnyEventType, Data>(
  from: EventTopic<Types>,
  on: {
    readonly [Name in NameOf<Types>]?: (
      event: EventNamed<Types, Name>,
    ) => StepReport<Data> | undefined;
  },
): SagaReports<Data> {
  return { from, on: on as SagaReports<Data>["on"] };
}

/** Without what it is called: the mapping's name says that. */
export type FactBody<Fact> = Fact extends { readonly kind: string } ? Omit<Fact, "kind"> : never;

/** A fact of sagas as an event of the domain. */
export interface SagaRecord<Fact = unknown, Input = unknown> {
  readonly type: AnyEventType;
  readonly write: (fact: Fact, saga: SagaHead<Input>) => unknown;
  readonly read: (event: never) => FactBody<Fact>;
}

export interface SagaHead<Input> {
  readonly id: string;
  readonly input: Input;
}

/** Declares how a fact is written as an event of this type, and read from one. */
export function recordedAs<Type extends AnyEventType, Fact, Input>(
  type: Type,
  mapping: {
    readonly write: (fact: Fact, saga: SagaHead<Input>) => EventOf<Type>;
    readonly read: (event: EventOf<Type>) => FactBody<Fact>;
  },
): SagaRecord<Fact, Input> {
  return { type, ...mapping };
}

type OfKind<Kind, Input, Data> = Extract<SagaFact<Input, Data>, { readonly kind: Kind }>;

/** An event type for each fact; `stepCompensating` where some step's undoing ends later. */
export type SagaRecords<Input = unknown, Data = unknown> = {
  readonly [Kind in Exclude<SagaFact["kind"], "stepCompensating">]: SagaRecord<
    OfKind<Kind, Input, Data>,
    Input
  >;
} & {
  readonly stepCompensating?: SagaRecord<OfKind<"stepCompensating", Input, Data>, Input>;
};

/** Whether a saga may start, decided against the store. */
export interface SagaAdmission<Input> {
  readonly reads: (input: Input) => Readonly<Record<string, ModelOf>>;
  readonly refuses: (
    input: Input,
    states: Readonly<Record<string, unknown>>,
  ) => Refusal | undefined;
}

export interface SagaDefinition<Input, Data, Answer> {
  /** Also the processor's name, and the first part of its refusals' codes. */
  readonly name: string;
  /** The saga's own events; its key is the saga's id, and is tagged. Others may be there too. */
  readonly topic: EventTopic;
  readonly records: SagaRecords<Input, Data>;
  readonly stages: readonly (readonly SagaStep<Input, Data>[])[];
  readonly reports?: readonly SagaReports<Data>[];
  /** Left out: every input may start one. */
  readonly admission?: SagaAdmission<Input>;
  /** What `start` and `resubmit` answer. */
  readonly answer: (saga: { readonly id: string; readonly attempt: number }) => Answer;
  /** Default 100. */
  readonly stepsMax?: number;
}
