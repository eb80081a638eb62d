import { treeSeconds } from "./_processor-time.ts";

/** What a piece of work has taken. */
export interface Cost {
  readonly seconds: number;
  /** Processor time of this process, in seconds. */
  readonly nodeSeconds: number;
  /** Of the Postgres server; undefined where it can't be told. */
  readonly postgresSeconds: number | undefined;
}

/** `pid`: of the postmaster. */
export async function costOf(pid: number, work: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const server = treeSeconds(pid);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const serverNow = treeSeconds(pid);
  return {
    seconds,
    nodeSeconds: (user + system) / 1_000_000,
    postgresSeconds:
      server === undefined || serverNow === undefined ? undefined : serverNow - server,
  };
}

/** For so many events. */
export function costText({ seconds, nodeSeconds, postgresSeconds }: Cost, events: number): string {
  const rate = Math.round(events / seconds).toLocaleString("en");
  const each = (of: number | undefined): string =>
    of === undefined ? "?" : ((of * 1_000_000) / events).toFixed(2);
  return (
    `${events} events in ${seconds.toFixed(2)} s: ${rate} events/s; processor time of an event: ` +
    `${each(nodeSeconds)} µs of Node, ${each(postgresSeconds)} µs of Postgres`
  );
}
