import { parseSchema, type Schema } from "../../schemas/avro/index.ts";

/** What a contract document says of one topic. */
export interface ToldTopic {
  readonly name: string;
  readonly partitions: number | undefined;
  /** The field that is the record's key, or how the key is told. */
  readonly key: string | undefined;
  /** Payloads by message name. */
  readonly messages: ReadonlyMap<string, Schema>;
  /** Definitions that receive it, with the messages that they read; undefined: all. */
  readonly consumers: ReadonlyMap<string, ReadonlySet<string> | undefined>;
}

/** A contract document, as far as it is compared. */
export type ToldContract = ReadonlyMap<string, ToldTopic>;

interface Document {
  readonly asyncapi?: unknown;
  readonly channels?: Readonly<Record<string, Channel>>;
  readonly operations?: Readonly<Record<string, Operation>>;
}

interface Channel {
  readonly "x-key"?: string;
  readonly messages?: Readonly<Record<string, { readonly payload?: Payload }>>;
  readonly bindings?: { readonly kafka?: { readonly partitions?: number } };
}

interface Payload {
  readonly schema?: unknown;
}

interface Operation {
  readonly action?: string;
  readonly channel?: Reference;
  readonly messages?: readonly Reference[];
}

interface Reference {
  readonly $ref?: string;
}

/**
 * Reads a document that `asyncApiOf` has made.
 * @throws TypeError when it isn't one; SchemaError when a payload is no Avro schema.
 */
export function readContract(document: unknown): ToldContract {
  const { asyncapi, channels, operations = {} } = (document ?? {}) as Document;
  if (typeof asyncapi !== "string" || channels === undefined) {
    throw new TypeError("it is no AsyncAPI document with channels");
  }
  const received = Object.entries(operations).filter(([, { action }]) => action === "receive");
  return new Map(
    Object.entries(channels).map(([name, channel]) => [
      name,
      {
        name,
        partitions: channel.bindings?.kafka?.partitions,
        key: channel["x-key"],
        messages: schemasOf(channel),
        consumers: new Map(
          received
            .filter(([, operation]) => lastOf(operation.channel) === name)
            .map(([consumer, operation]) => [consumer, readBy(operation)]),
        ),
      },
    ]),
  );
}

function schemasOf({ messages = {} }: Channel): ReadonlyMap<string, Schema> {
  const told = Object.entries(messages).flatMap(([name, { payload }]) =>
    payload?.schema === undefined ? [] : [[name, parseSchema(payload.schema)] as const],
  );
  return new Map(told);
}

const readBy = ({ messages }: Operation): ReadonlySet<string> | undefined =>
  messages && new Set(messages.flatMap((one) => lastOf(one) ?? []));

const lastOf = (reference: Reference | undefined): string | undefined =>
  reference?.$ref?.split("/").at(-1);
