import type { ConditionItem, QueryItem } from "../ports/event-store.ts";
import { globalPosition, type GlobalPosition } from "../position.ts";
import type { DecisionModel, FactMeta, ModelOf } from "./definition.ts";

/** An event as models fold it, from the store or just decided. */
export interface FoldableEvent {
  /** Short name. */
  readonly name: string;
  readonly tags: readonly string[];
  readonly event: unknown;
  readonly meta: FactMeta;
}

export interface PositionedEvent extends FoldableEvent {
  readonly position: GlobalPosition;
}

type Evolve = (state: unknown, event: unknown, meta: FactMeta) => unknown;

/** A model's state, and the position up to which it is true. */
export class KnownModel {
  readonly model: DecisionModel;
  readonly tag: string;
  readonly item: QueryItem;
  state: unknown;
  upTo: GlobalPosition = globalPosition(0);
  /** There may be newer events than have been folded: read before use. */
  stale = true;
  #expectable = true;

  constructor({ model, id }: ModelOf) {
    this.model = model;
    this.tag = `${model.tag}:${id}`;
    this.item = { tags: [this.tag], types: typesOf(model) };
    this.state = model.initial;
  }

  /**
   * Takes it that there are no events, which is true up to the position 0; once only, since who has
   * been wrong reads. @returns false where more may be known, or has been wrong.
   */
  expectNothing(): boolean {
    if (!this.#expectable || this.upTo > 0n) return false;
    this.#expectable = false;
    this.stale = false;
    return true;
  }

  /** There can be no events of it yet. */
  begin(): void {
    this.stale = false;
  }

  /** Nothing newer than that may have come. */
  condition(after: GlobalPosition): ConditionItem {
    return { ...this.item, after };
  }

  reads(event: FoldableEvent): boolean {
    return Object.hasOwn(this.model.on, event.name) && event.tags.includes(this.tag);
  }

  evolved(state: unknown, event: FoldableEvent): unknown {
    const evolve = this.model.on[event.name] as unknown as Evolve;
    return evolve(state, event.event, event.meta);
  }

  /** Folds an event that follows; one that is folded already is left alone. */
  fold(event: PositionedEvent): void {
    if (event.position <= this.upTo || !this.reads(event)) return;
    this.state = this.evolved(this.state, event);
    this.upTo = event.position;
  }

  /** Known under the lock: nothing else of this model came up to here. */
  advance(position: GlobalPosition): void {
    if (position > this.upTo) this.upTo = position;
  }
}

const types = new WeakMap<DecisionModel, readonly string[]>();

function typesOf(model: DecisionModel): readonly string[] {
  const known = types.get(model);
  if (known) return known;
  const names = model.topic.events
    .filter((type) => Object.hasOwn(model.on, type.name))
    .map((type) => type.fullName);
  types.set(model, names);
  return names;
}
