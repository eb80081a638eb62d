/**
 * Why a value can't take the place of a letter's own:
 *
 * - `value`: it doesn't fit its schema.
 * - `schema`: there is no such schema, or none can be told.
 * - `reader`: the letter's consumer could not use it.
 * - `place`: it would be another record: another key, or another place in the source.
 */
export type EditFaultKind = "value" | "schema" | "reader" | "place";

/** An edit that is refused before anything is stored. */
export class EditFault extends Error {
  override readonly name = "EditFault";
  readonly kind: EditFaultKind;
  /** Of a value: the place in it, as `fields/2/name`; empty for the whole. */
  readonly path: string | undefined;

  constructor(kind: EditFaultKind, message: string, more: { path?: string; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.kind = kind;
    this.path = more.path;
  }
}
