import type { Clock } from "../../engine/ports/clock.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { readInstance } from "../../stack/data-folder/instance-file.ts";
import type { Crowd } from "./crowd/crowd.ts";
import type { KeyedSender } from "./crowd/keyed-sender.ts";
import type { Wish } from "./crowd/schedule.ts";
import type { DemoServer } from "./server/demo-server.ts";
import type { Screen } from "./view/screen.ts";
import { look } from "./view/sight.ts";

export interface RushOptions {
  readonly crowd: Crowd;
  readonly wishes: readonly Wish[];
  readonly sender: Pick<KeyedSender, "troubles">;
  readonly server: Pick<DemoServer, "kill" | "start">;
  readonly data: string;
  readonly screen: Screen;
  readonly clock: Clock;
  /** The server is killed when this part of the wishes has come. */
  readonly killAt?: number;
  /** After the restart some answers are still late for what happened before. */
  readonly calmAfterMs?: number;
  readonly frameMs?: number;
}

/** The crowd's hour: what is seen of it, and the kill in its middle. */
export class Rush {
  readonly #options: Required<RushOptions>;
  #pool: ReturnType<typeof makePool> | undefined;

  constructor(options: RushOptions) {
    this.#options = { killAt: 0.5, calmAfterMs: 3_000, frameMs: 1_000, ...options };
  }

  /** Resolves when everybody has come and gone, and the server was killed and came back. */
  async run(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const watching = this.#watch(over.signal);
    try {
      await Promise.all([this.#options.crowd.run(signal), this.#killInTheMiddle(signal)]);
    } finally {
      over.abort();
      await watching;
      await this.#disconnect();
    }
  }

  async #killInTheMiddle(signal: AbortSignal): Promise<void> {
    const { crowd, wishes, killAt, clock, server, screen, calmAfterMs } = this.#options;
    while (crowd.arrived < wishes.length * killAt && !signal.aborted) await clock.sleep(10, signal);
    if (signal.aborted) return;
    crowd.disturbances += 1;
    const beganMs = clock.monotonicMs();
    const killed = await server.kill();
    screen.say(
      `\nSIGKILL for the server and its database: ${killed} processes. It starts again ...`,
    );
    await server.start("/livez");
    const tookMs = clock.monotonicMs() - beganMs;
    screen.say(`It answers again, ${(tookMs / 1_000).toFixed(1)} s after the kill.\n`);
    await clock.sleep(calmAfterMs, signal);
    crowd.disturbances += 1;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { crowd, wishes, sender, screen, clock, frameMs } = this.#options;
    const beganMs = clock.monotonicMs();
    let last = { settled: 0, atMs: beganMs };
    while (!signal.aborted) {
      await clock.sleep(frameMs, signal);
      const sight = await this.#sight();
      const nowMs = clock.monotonicMs();
      const rate = ((crowd.settled - last.settled) * 1_000) / (nowMs - last.atMs);
      last = { settled: crowd.settled, atMs: nowMs };
      screen.show({
        seconds: (nowMs - beganMs) / 1_000,
        crowd,
        wishes: wishes.length,
        settledPerSecond: rate,
        troubles: sender.troubles,
        sight,
      });
    }
  }

  /** The database comes back on another port. */
  async #sight() {
    const { databaseUrl } = (await readInstance(this.#options.data)) ?? {};
    if (databaseUrl === undefined) return undefined;
    this.#pool ??= makePool({ url: databaseUrl, name: "demo view", connectionsMax: 3 });
    const sight = await look(this.#pool);
    if (sight === undefined) await this.#disconnect();
    return sight;
  }

  async #disconnect(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end().catch(() => undefined);
  }
}
