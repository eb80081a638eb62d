import type { CommandCall, WantedDeadline } from "./decision/definition.ts";
import type { Deadline } from "./ports/deadlines.ts";

/** A kind of deadline, and what is decided when one has passed. */
export interface DeadlineType {
  readonly name: string;
  /** For a decision to want (`Wanted.deadlines`): one for each key, a later one replaces it. */
  at(key: string, atMs: number): WantedDeadline;
  cancel(key: string): WantedDeadline;
  /**
   * The command that makes an event of it. It is decided against the store, after the deadline, and
   * must refuse, or accept without facts, where an outcome is recorded already.
   */
  readonly passed: (deadline: Deadline) => CommandCall;
}

/**
 * Declares a kind of deadline. By convention the command's event goes to the topic of the processor
 * that waits for it, under the same key, so that a replay meets it at its place.
 */
export function defineDeadline(definition: {
  readonly name: string;
  /** `<kind>:<id>` of what it has to do with, as events are tagged. */
  readonly tags: (key: string) => readonly string[];
  readonly passed: (deadline: Deadline) => CommandCall;
}): DeadlineType {
  const { name, tags, passed } = definition;
  return {
    name,
    passed,
    at: (key, atMs) => ({ change: "set", name, key, atMs, tags: tags(key) }),
    cancel: (key) => ({ change: "cancel", name, key }),
  };
}
