import type { AnyRow } from "../../engine/columns.ts";
import { TransientError } from "../../engine/errors.ts";
import { generationUnknown } from "../../engine/generation-faults.ts";
import { countRows, findRows, type Rows } from "../../engine/memory/find-rows.ts";
import type {
  Answer,
  CountRows,
  FindRows,
  Page,
  ReadModelReader,
  ReadPosition,
} from "../../engine/ports/read-model-reader.ts";
import type { Generation } from "../../engine/ports/read-model-store.ts";
import { NotWholeError } from "./cold.ts";
import type { RedisConnection } from "./connection.ts";
import { partitionKey, rowKey } from "./keys.ts";
import { positionOf } from "./position-text.ts";
import type { KnownGeneration } from "./known-generation.ts";
import type { RedisReadModelStore } from "./read-model-store.ts";
import { partitionPages } from "./row-pages.ts";
import { readScript } from "./scripts.ts";

export interface RedisReadModelReaderOptions {
  readonly redis: RedisConnection;
  readonly store: Pick<RedisReadModelStore, "known">;
  /** The generation that serves; undefined: the projection was never built. */
  readonly serving: (projection: string) => Promise<Generation | undefined>;
  /** Rows that a list may be made from: there is no index, so all are read (default 1,000). */
  readonly listedRowsMax?: number;
}

type Field = string | null;

/**
 * Answers from Redis, whole or not at all: row and position of a partition are read in one script,
 * all partitions in one pipeline.
 *
 * @throws TransientError `cold` where some partition isn't whole there, `too-many-rows` for a list;
 * and as the connection does.
 */
export class RedisReadModelReader implements ReadModelReader {
  readonly #options: RedisReadModelReaderOptions;

  constructor(options: RedisReadModelReaderOptions) {
    this.#options = options;
  }

  async get(projection: string, key: string): Promise<Answer<AnyRow | undefined>> {
    const known = await this.#serving(projection);
    const { answers, positions } = await this.#stand(known, key);
    const text = answers.map((answer) => answer.at(-1)).find((row) => typeof row === "string");
    const result = typeof text === "string" ? known.text.decode(text) : undefined;
    return { result, positions, generation: known.generation.generation };
  }

  async find(projection: string, query: FindRows): Promise<Answer<Page>> {
    const { rows, ...where } = await this.#whole(projection);
    return { ...where, result: findRows(rows, query) };
  }

  async count(projection: string, query: CountRows): Promise<Answer<number>> {
    const { rows, ...where } = await this.#whole(projection);
    return { ...where, result: countRows(rows, query) };
  }

  async positions(projection: string): Promise<readonly ReadPosition[]> {
    return (await this.#stand(await this.#serving(projection), undefined)).positions;
  }

  /** Every row, as many as a list may be made from. */
  async #whole(
    projection: string,
  ): Promise<Omit<Answer<never>, "result"> & { readonly rows: Rows }> {
    const known = await this.#serving(projection);
    const { redis, listedRowsMax = 1_000 } = this.#options;
    const each = Array.from({ length: known.partitions }, (_, at) => [at, undefined] as const);
    const pages = { redis, known, pageRows: listedRowsMax + 1 };
    const found = await partitionPages(pages, new Map(each), fieldsOf(known));
    const positions = positionsOf(
      known,
      found.map(({ fields }) => fields),
    );
    const rows = new Map(found.flatMap((page) => page.rows.map(({ key, row }) => [key, row])));
    if (rows.size > listedRowsMax) {
      const message = `${projection} has more than ${listedRowsMax} rows, too many to list.`;
      throw new TransientError("too-many-rows", message);
    }
    const { columns } = known.model;
    const { generation } = known.generation;
    return { rows: { projection, columns, rows }, positions, generation };
  }

  async #stand(known: KnownGeneration, key: string | undefined) {
    const { generation, partitions } = known;
    const fields = fieldsOf(known);
    const calls = Array.from({ length: partitions }, (_, partition) => {
      const tag = partitionKey(generation, partition);
      const keys = key === undefined ? [tag] : [tag, rowKey(tag, key)];
      return { script: readScript, keys, args: fields };
    });
    const doing = `Reading ${generation.projection} from Redis`;
    const answers = await this.#options.redis.scripts(doing, "reading", calls);
    return { answers: answers as Field[][], positions: positionsOf(known, answers as Field[][]) };
  }

  async #serving(projection: string): Promise<KnownGeneration> {
    const generation = await this.#options.serving(projection);
    if (generation === undefined) throw generationUnknown(projection);
    return this.#options.store.known(generation);
  }
}

/** Of where a partition stands. */
const fieldsOf = ({ model }: KnownGeneration): string[] => [
  "whole",
  ...model.topics.flatMap(({ name }) => [`at:${name}`, `time:${name}`]),
];

/** In order of topic and partition. @throws TransientError `cold`. */
function positionsOf(
  { model, generation }: KnownGeneration,
  answers: readonly (readonly Field[])[],
): ReadPosition[] {
  const cold = answers.flatMap(([whole], partition) => (whole === "1" ? [] : [partition]));
  const topics = model.topics.map(({ name }, at) => ({ name, at })).sort(byName);
  const positions = topics.flatMap(({ name: topic, at }) =>
    answers.flatMap((answer, partition) => {
      if (answer[0] !== "1") return [];
      const position = positionOf(answer[1 + 2 * at]);
      if (position === undefined) return [];
      const time = answer[2 + 2 * at];
      const lastRecordedAtMs = typeof time === "string" ? Number(time) : undefined;
      return [{ topic, partition, position, lastRecordedAtMs }];
    }),
  );
  if (cold.length > 0) throw new NotWholeError(generation.projection, { cold, positions });
  return positions;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : 1;
