import type { CaptureSettings } from "../options.ts";
import type { NamePattern } from "../tables/selection.ts";
import type { SourceIdentity } from "./envelope.ts";
import { HeartbeatTopic } from "./heartbeat-topic.ts";
import { MessageTopic } from "./message-topic.ts";
import { ownForm } from "./own-record.ts";
import * as schemas from "./stream-schemas.ts";
import { TransactionTopic } from "./transaction-topic.ts";

/** The topics that a stream has beside its tables', as far as they are told. */
export class OwnTopics {
  readonly #settings: CaptureSettings;
  readonly #source: SourceIdentity;
  #messages: Promise<MessageTopic> | undefined;

  private constructor(settings: CaptureSettings, source: SourceIdentity) {
    this.#settings = settings;
    this.#source = source;
  }

  /** Finds each topic by what the settings say of it, and registers its schemas. */
  static async open(settings: CaptureSettings, source: SourceIdentity): Promise<OpenTopics> {
    const topics = new OwnTopics(settings, source);
    return {
      transactions: await topics.#transactions(),
      heartbeats: await topics.#heartbeats(),
      messagesOf: (prefix) => topics.#messagesOf(prefix),
    };
  }

  async #transactions(): Promise<TransactionTopic | undefined> {
    const { stream, prefix, names } = this.#settings;
    const { transactions } = stream;
    if (transactions !== "told" && transactions !== "of-changes") return undefined;
    const topic = [prefix, stream.transactionTopic].join(names.delimiter ?? ".");
    const form = await ownForm(this.#settings, topic, {
      key: schemas.transactionKeySchema,
      value: schemas.transactionValueSchema,
    });
    const begins = transactions === "told" ? "at once" : "at the first change";
    return new TransactionTopic({ topic, partitions: stream.partitions, form, begins });
  }

  async #heartbeats(): Promise<HeartbeatTopic | undefined> {
    const { stream, prefix, names } = this.#settings;
    if (!stream.heartbeat) return undefined;
    const topic = [stream.heartbeat.topicPrefix, prefix].join(names.delimiter ?? ".");
    const texts = { key: schemas.heartbeatKeySchema, value: schemas.heartbeatValueSchema };
    const form = await ownForm(this.#settings, topic, texts);
    return new HeartbeatTopic({ topic, serverName: prefix, form });
  }

  #messagesOf(prefix: string): Promise<MessageTopic | undefined> | undefined {
    const { messages } = this.#settings.stream;
    if (!messages) return undefined;
    if (!isTold(prefix, messages)) return Promise.resolve(undefined);
    this.#messages ??= this.#openMessages();
    return this.#messages;
  }

  async #openMessages(): Promise<MessageTopic> {
    const { stream, prefix, values, clock } = this.#settings;
    // Whatever stands between the parts of other names.
    const topic = `${prefix}.message`;
    const form = await ownForm(this.#settings, topic, {
      key: schemas.messageKeySchema,
      value: schemas.messageValueSchema(values.binary === "bytes" ? "bytes" : "string"),
    });
    return new MessageTopic({
      topic,
      partitions: stream.partitions,
      form,
      source: this.#source,
      binary: values.binary,
      transactions: stream.transactions === "untold" ? "untold" : "told",
      nowMs: () => clock.nowMs(),
    });
  }
}

export interface OpenTopics {
  readonly transactions: TransactionTopic | undefined;
  readonly heartbeats: HeartbeatTopic | undefined;
  /**
   * Who tells messages with this prefix: nobody, after a promise of undefined; undefined at once:
   * nothing is made of messages.
   */
  readonly messagesOf: (prefix: string) => Promise<MessageTopic | undefined> | undefined;
}

interface Prefixes {
  readonly include?: readonly NamePattern[];
  readonly exclude?: readonly NamePattern[];
}

function isTold(prefix: string, { include, exclude }: Prefixes): boolean {
  if (include) return include.some((pattern) => pattern.test(prefix));
  return !exclude?.some((pattern) => pattern.test(prefix));
}
