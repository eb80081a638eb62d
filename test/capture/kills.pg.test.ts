import { once } from "node:events";
import type { Readable } from "node:stream";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { beside } from "../support/beside.ts";
import { CapturedDatabase, onPublic } from "./captured-database.ts";
import { kill, startChild, temporaryFolder } from "./children.ts";
import { copyIn } from "../parity/copy-in.ts";
import { createOutbox, insertOutbox } from "./outbox-table.ts";

const rounds = Number(process.env["REFOLD_ROUNDS"] ?? 5);
const writers = 3;

/** Writes transactions of several kinds, each row telling its transaction and place in it. */
class Writer {
  readonly #number: number;
  readonly #client: Client;
  #transactions = 0;
  #outbox = 0;
  #rows = 0;

  constructor(number: number, url: string) {
    this.#number = number;
    this.#client = new Client({ connectionString: url, options: onPublic });
  }

  get rows(): number {
    return this.#rows;
  }

  get outboxRows(): number {
    return this.#outbox;
  }

  async run(until: AbortSignal): Promise<void> {
    // What breaks a connection breaks its next statement too, which tells.
    this.#client.on("error", () => undefined);
    await this.#client.connect();
    try {
      await this.#write(until);
    } finally {
      await this.#client.end();
    }
  }

  async #write(until: AbortSignal): Promise<void> {
    const kinds = [
      () => this.#copy(150),
      () => this.#insert(40),
      () => this.#both(),
      () => this.#insert(1),
    ];
    for (let turn = 0; !until.aborted; turn++) {
      await kinds[turn % kinds.length]?.();
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
  }

  async #copy(count: number): Promise<void> {
    const lines = this.#next(count).map((row) => row.join("\t"));
    await copyIn(this.#client, "copy moves from stdin", `${lines.join("\n")}\n`);
  }

  async #insert(count: number): Promise<void> {
    const values = this.#next(count).map((row) => `(${row.join(",")})`);
    await this.#client.query(`insert into moves values ${values.join(",")}`);
  }

  async #both(): Promise<void> {
    await this.#client.query("begin");
    await this.#insert(3);
    for (let row = 0; row < 4; row++) {
      this.#outbox += 1;
      const position = this.#outbox * writers + this.#number;
      await this.#client.query(
        insertOutbox({
          position,
          topic: "events",
          partition: this.#number,
          sequence: this.#outbox,
        }),
      );
    }
    await this.#client.query("commit");
  }

  /** Rows of one transaction: id, writer, transaction, place from 1, rows of it in all. */
  #next(count: number): number[][] {
    this.#transactions += 1;
    return Array.from({ length: count }, (_, at) => {
      this.#rows += 1;
      return [this.#rows * writers + this.#number, this.#number, this.#transactions, at + 1, count];
    });
  }
}

interface Move {
  readonly id: number;
  readonly writer: number;
  readonly transaction: number;
  readonly place: number;
  readonly count: number;
}

interface Told {
  readonly after: Move;
  readonly op: string;
  readonly source: { readonly sequence: string };
  readonly transaction: { readonly total_order: number } | null;
}

test(`${rounds} kills at random moments under load lose and double nothing`, async () => {
  const database = await CapturedDatabase.make();
  await database.sql(
    "create table moves (id bigint primary key, writer int, transaction int, place int, count int)",
    createOutbox,
  );
  await database.log.ensureTopic({ name: "refold.public.moves", partitions: 1 });
  await database.log.ensureTopic({ name: "events", partitions: writers });
  const codeFolder = await temporaryFolder();
  const loads = Array.from({ length: writers }, (_, number) => new Writer(number, database.url));
  const endLoads = beside((ended) => Promise.all(loads.map((load) => load.run(ended))));
  for (let round = 0; round < rounds || !(await hasCaptured(database)); round++) {
    const child = startChild(
      { database, codeFolder },
      { kind: "capture", tables: ["public.moves"] },
    );
    // One in five dies at its start or in the snapshot, the others while changes flow.
    if (round % 5 > 0) await once(child.stdout as Readable, "data");
    // Where the machine leaves it too little time for anything, it gets more.
    const atMostMs = 300 * 2 ** Math.max(0, round - rounds);
    await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * atMostMs));
    expect(child.exitCode).toBeNull();
    await kill(child);
  }
  await endLoads();

  const outboxTables = ["public.outbox"];
  const last = await database.capture(["public.moves"], { outboxTables });
  onTestFinished(() => last[Symbol.asyncDispose]());
  await last.start(new AbortController().signal);
  await database.sql(`insert into moves values (0, ${writers}, 1, 1, 1)`);
  const total = loads.reduce((sum, load) => sum + load.rows + load.outboxRows, 1);
  const records = await database.untilRecords(total, 60_000);
  expect(records.length).toBe(total);

  for (const [number, load] of loads.entries()) {
    const lane = records.filter(
      ({ topic, partition }) => topic === "events" && partition === number,
    );
    const sequences = lane.map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual(Array.from({ length: load.outboxRows }, (_, at) => at + 1));
  }
  const moves = records.filter(({ topic }) => topic === "refold.public.moves");
  checkMoves(moves.map(({ value }) => database.decode(value) as Told));
});

/** Has any of the captures come so far as to publish changes? */
async function hasCaptured({ pool }: CapturedDatabase): Promise<boolean> {
  const { rows } = await pool.query<{ lsn: string }>(
    "select commit_lsn::text as lsn from refold.capture_position",
  );
  return rows[0] !== undefined && rows[0].lsn !== "0/0";
}

/** Each row once; streamed ones transaction by transaction, each whole and in its order. */
function checkMoves(told: readonly Told[]): void {
  expect(new Set(told.map(({ after }) => after.id)).size).toBe(told.length);
  const streamed = told.filter(({ op }) => op === "c");
  const lastOf = new Map<number, number>();
  let previous = { commit: -1, order: 0, after: undefined as Move | undefined };
  for (const { after, source, transaction } of streamed) {
    const [commit] = JSON.parse(source.sequence) as [string | null, string];
    const place = { commit: Number(commit ?? 0), order: transaction?.total_order ?? 0, after };
    expect(place.order).toBe(after.place);
    if (after.place > 1) {
      expect(previous.after).toEqual({ ...after, id: previous.after?.id, place: after.place - 1 });
      expect(place.commit).toBe(previous.commit);
    } else {
      expect(previous.after?.place).toBe(previous.after?.count);
      expect(place.commit).toBeGreaterThan(previous.commit);
      expect(after.transaction).toBeGreaterThan(lastOf.get(after.writer) ?? 0);
      lastOf.set(after.writer, after.transaction);
    }
    previous = place;
  }
}
