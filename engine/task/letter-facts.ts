import { header } from "../envelope.ts";
import { framedSchemaId } from "../ports/codec.ts";
import type { DeadLetter } from "../ports/dead-letters.ts";

/** What can be told of a record that was set aside without decoding it. */
export interface LetterFacts {
  /** Full name of the event type. */
  readonly type: string | undefined;
  readonly correlationId: string | undefined;
  /** Of the frame before the value. */
  readonly schemaId: number | undefined;
}

/** By the record's envelope and frame: each is undefined where there is none. */
export function letterFacts(letter: Pick<DeadLetter, "headers" | "value">): LetterFacts {
  const { headers, value } = letter;
  return {
    type: letterHeader(headers, header.type),
    correlationId: letterHeader(headers, header.correlationId),
    schemaId: value === null ? undefined : frameOf(value),
  };
}

/** Text of the first header of this name; what is no UTF-8 in it is replaced. */
export function letterHeader(headers: DeadLetter["headers"], name: string): string | undefined {
  const found = headers.find((one) => one.name === name)?.value;
  return found === undefined || found === null ? undefined : Buffer.from(found).toString("utf8");
}

function frameOf(value: Uint8Array): number | undefined {
  return framedSchemaId(Buffer.from(value.buffer, value.byteOffset, value.length), 0, value.length);
}
