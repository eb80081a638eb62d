import { defaultHistoryLimits, History } from "../../engine/history/past-reader.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import { Journal } from "../../engine/testing/journal.ts";
import { moduleCatalogue, type ModuleRow } from "../../projections/module-catalogue/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { catalogueModules, moduleEvents } from "../../schemas/topics.ts";
import type { Campus } from "./campus.ts";
import { realClock } from "./real-clock.ts";

/** The campus' events and catalogue in a log, as a capture would have published them. */
export class CampusPast {
  readonly log = new MemoryRecordLog();
  readonly history: History;
  readonly #campus: Campus;
  readonly #journal: Journal;
  #published = 0;
  #changes = 0;

  constructor(campus: Campus) {
    this.#campus = campus;
    const { codec, eventStore, history, incarnation } = campus;
    this.#journal = new Journal({ log: this.log, codec, incarnation });
    const { log } = this;
    this.history = new History({
      ...defaultHistoryLimits,
      projections: [seatAvailability, registrations, moduleCatalogue],
      log: {
        topics: () => log.topics(),
        read: (options) => log.read(options),
        offsetsAt: (topic, ms) => log.offsetsAt(topic, ms),
        bounds: async (topic) => {
          await this.#publish();
          return log.bounds(topic);
        },
      },
      codec,
      eventStore,
      clock: { ...realClock, nowMs: () => history.nowMs },
      random: new SeededRandom(),
    });
  }

  /** Rows of the catalogue's table, as of now. */
  async catalogue(rows: readonly ModuleRow[]): Promise<void> {
    await this.#open();
    for (const row of rows) await this.#change(row);
  }

  async #change(row: ModuleRow): Promise<void> {
    this.#changes += 1;
    const sourceTimestampMs = this.#campus.history.nowMs;
    const value = this.#campus.codec.encodeChange(catalogueModules, {
      op: "u",
      before: null,
      after: tableRow(row),
      sourceTimestampMs,
      commitLsn: BigInt(this.#changes),
      order: 1,
      transactionId: String(this.#changes),
      snapshot: false,
    });
    const { name: topic, partitions } = catalogueModules;
    const key = Buffer.from(row.code);
    const record = { timestampMs: sourceTimestampMs, key, value, headers: [] };
    const partition = partitionOf(key, partitions);
    await this.log.append([{ topic, partition, records: [record] }]);
  }

  async #open(): Promise<void> {
    await this.#journal.open(moduleEvents);
    const { name, partitions } = catalogueModules;
    await this.log.ensureTopic({ name, partitions });
  }

  async #publish(): Promise<void> {
    await this.#open();
    const { facts } = this.#campus.history;
    const events = facts.slice(this.#published);
    this.#published = facts.length;
    await this.#journal.append(moduleEvents, events);
  }
}

const timeText = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString();

const tableRow = (row: ModuleRow) => ({
  code: row.code,
  title: row.title,
  capacity: row.capacity,
  fee_cents: row.feeCents,
  opens_at: timeText(row.opensAt),
  closes_at: timeText(row.closesAt),
  updated_at: timeText(row.updatedAt),
});
