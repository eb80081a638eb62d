import { setTimeout as sleep } from "node:timers/promises";

import { Connection } from "./_connection.ts";
import { type MeasuredInstance, queryRows, waitUntil } from "./_instance.ts";
import type { MemorySample } from "./_memory-curve.ts";

export interface SoakCommands {
  readonly instance: MeasuredInstance;
  readonly codes: readonly string[];
  /** Each sends its next registration when the one before is answered. */
  readonly connections: number;
}

/** What the server is left alone for when it says that it is overloaded. */
const overloadedMs = 500;

/** Registers as fast as it is answered, and counts what was accepted. */
export class SoakLoad {
  /** By module. */
  readonly accepted: Map<string, number>;
  registrations = 0;
  readonly #options: SoakCommands;

  /** `given`: what the modules have accepted before. */
  constructor(options: SoakCommands, given: ReadonlyMap<string, number>) {
    this.#options = options;
    this.accepted = new Map(given);
  }

  /** @throws Error when one is refused; a server that is overloaded is left alone for a moment. */
  async run(signal: AbortSignal): Promise<void> {
    const { connections } = this.#options;
    await Promise.all(Array.from({ length: connections }, (_, at) => this.#client(at, signal)));
  }

  async #client(at: number, signal: AbortSignal): Promise<void> {
    const { instance, codes } = this.#options;
    const connection = await Connection.open(instance.httpUrl);
    for (let turn = 0; !signal.aborted; turn += 1) {
      const moduleCode = codes[(at + turn) % codes.length] ?? "";
      const body = { moduleCode, studentId: `student-${at}-${turn}` };
      const answer = await connection.post("/registrations", body);
      if (answer.status === 201) this.#count(moduleCode);
      else if (answer.status === 503) await sleep(overloadedMs);
      else throw new Error(`A registration was answered ${answer.body}.`);
    }
    connection.close();
  }

  #count(moduleCode: string): void {
    this.registrations += 1;
    this.accepted.set(moduleCode, (this.accepted.get(moduleCode) ?? 0) + 1);
  }
}

/** @throws Error when a module has other registrations than it has accepted. */
export async function assertRegistered(
  instance: MeasuredInstance,
  accepted: ReadonlyMap<string, number>,
): Promise<void> {
  const all = [...accepted.values()].reduce((sum, count) => sum + count, 0);
  await waitUntil("the read model has every registration", async () => {
    const counting = `select count(*)::int4 as rows from read."registrations"`;
    const [found] = await queryRows<{ rows: number }>(instance, counting);
    return found?.rows === all;
  });
  const rows = await queryRows<{ code: string; rows: number; seats: number }>(
    instance,
    `select module_code as code, count(*)::int4 as rows, min(s.confirmed) as seats
     from read."registrations" r join read."seat-availability" s using (module_code)
     where r.status = 'completed' group by module_code`,
  );
  for (const [code, count] of accepted) {
    const row = rows.find((one) => one.code === code);
    if (row?.rows === count && row.seats === count) continue;
    throw new Error(
      `${code} has accepted ${count}, and has ${row?.rows} rows and ${row?.seats} seats taken.`,
    );
  }
}

const everyMs = 1_000;

/** Takes what the instance tells of itself, every second. */
export async function sampleInstance(
  { httpUrl }: MeasuredInstance,
  take: (sample: MemorySample) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const text = await (await fetch(`${httpUrl}/metrics`)).text();
    const value = (name: string): number =>
      Number(new RegExp(`^refold_${name}(?:{[^}]*})? (\\S+)$`, "m").exec(text)?.[1]);
    take({
      atMs: Date.now(),
      rssBytes: value("process_resident_memory_bytes"),
      heapUsedBytes: value("nodejs_heap_size_used_bytes"),
      externalBytes: value("nodejs_external_memory_bytes"),
      handles: value("nodejs_active_resources_total"),
    });
  }
}
