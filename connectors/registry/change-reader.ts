import { RecordError } from "../../engine/errors.ts";
import type { ChangeDecoder, RowChange } from "../../engine/ports/codec.ts";
import type { ChangeTopic } from "../../engine/topic.ts";
import { type DecodeLimits, parseSchema } from "../../schemas/avro/index.ts";
import { changeEnvelope } from "./change-envelope.ts";
import { decodeWith, resolverFor } from "./event-reader.ts";
import type { DecoderOf } from "./learning-reader.ts";

/** What is read of Debezium's envelope. */
interface Envelope {
  readonly before: unknown;
  readonly after: unknown;
  readonly source: {
    readonly ts_ms: number;
    readonly snapshot: string | null;
    /** JSON: the commit LSN of the transaction before and the change's own LSN, as texts. */
    readonly sequence: string | null;
  };
  readonly transaction: { readonly id: string; readonly total_order: number } | null;
  readonly op: string;
}

/** Decoders of a change topic's values. */
export function changeDecoders(
  topic: ChangeTopic,
  limits: Partial<DecodeLimits>,
): DecoderOf<ChangeDecoder> {
  const envelope = parseSchema(changeEnvelope(topic.row));
  return (writer, schemaId) => {
    const resolver = resolverFor<Envelope>(envelope, { writer, schemaId, limits });
    const decode = decodeWith(resolver, `row change of ${topic.table}`);
    return { decode: (bytes, start, end) => rowChange(decode(bytes, start, end), topic) };
  };
}

function rowChange(envelope: Envelope, topic: ChangeTopic): RowChange {
  const { before, after, source, transaction } = envelope;
  const op = operation(envelope.op, topic);
  const snapshot = op === "r" || (source.snapshot !== null && source.snapshot !== "false");
  if (transaction === null && !snapshot) {
    throw new RecordError(
      "decode",
      `A row change of ${topic.table} names no transaction, so a repetition of it couldn't be ` +
        "told. Set provide.transaction.metadata of the connector to true.",
    );
  }
  return {
    op,
    before,
    after,
    sourceTimestampMs: source.ts_ms,
    commitLsn: commitLsnBefore(source.sequence, topic),
    order: transaction?.total_order ?? 0,
    transactionId: snapshot ? undefined : transaction?.id,
    snapshot,
  };
}

function operation(op: string, topic: ChangeTopic): RowChange["op"] {
  switch (op) {
    case "c":
    case "u":
    case "d":
    case "r":
    case "t":
      return op;
    default:
      throw new RecordError("decode", `A row change of ${topic.table} has the unknown op ${op}.`);
  }
}

/** `["26365784","26366064"]`, `[null,"26365784"]`: the first element. */
const sequencePattern = /^\[\s*(?:null|"(\d+)")/;

function commitLsnBefore(sequence: string | null, topic: ChangeTopic): bigint {
  if (sequence === null) return 0n;
  const found = sequencePattern.exec(sequence);
  if (found === null) {
    const shown = sequence.slice(0, 80);
    const message = `A row change of ${topic.table} has a source.sequence that is none: ${shown}.`;
    throw new RecordError("decode", message);
  }
  return found[1] === undefined ? 0n : BigInt(found[1]);
}
