import { join } from "node:path";

import { Client } from "pg";
import { expect, test } from "vitest";

import { catalogue, PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import { availability, register, startInstance, type Instance } from "./refold-instance.ts";
import { temporaryFolder, until } from "./refold-process.ts";

/** Metrics as they are scraped: names of families, and values by name and labels. */
class Scrape {
  readonly families: readonly string[];
  readonly #values: ReadonlyMap<string, number>;

  constructor(text: string) {
    this.families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    this.#values = new Map(
      lines.map((line) => {
        const at = line.lastIndexOf(" ");
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
    );
  }

  /** The sum over all series of the name whose labels contain the text. */
  sum(name: string, labels = ""): number {
    return [...this.#values]
      .filter(([series]) => series.startsWith(`${name}{`) || series === name)
      .filter(([series]) => series.includes(labels))
      .reduce((sum, [, value]) => sum + value, 0);
  }
}

async function scrape({ http }: Instance): Promise<Scrape> {
  return new Scrape(await (await fetch(`${http}/metrics`)).text());
}

async function offer({ database, http }: Instance, code: string): Promise<void> {
  const client = new Client({ connectionString: database });
  await client.connect();
  await client.query(
    "insert into catalogue.modules (code, title, capacity, fee_cents) values ($1, 'Algebra', 50, 0)",
    [code],
  );
  await client.end();
  const isOffered = async () =>
    (await availability(http, code)).status === 200 ? code : undefined;
  await until(isOffered, 5_000, () => `module ${code} on offer`);
}

const oneInSeats = 'consumer="seat-availability"';

test("a scrape tells the catalogue's metrics, and what it tells is what happened", async () => {
  const instance = await startInstance(join(await temporaryFolder(), "data"));
  await offer(instance, "ALG-1");
  const before = await scrape(instance);
  for (let student = 0; student < 20; student++) {
    const { status, position } = await register(instance.http, "ALG-1", `s-${student}`);
    expect(status).toBe(201);
    await availability(instance.http, "ALG-1", position);
  }
  const after = await scrape(instance);
  const rise = (name: string, labels?: string): number =>
    after.sum(name, labels) - before.sum(name, labels);

  // Each registration is a hold and its completion.
  expect(rise("refold_events_appended_total")).toBe(40);
  expect(rise("refold_records_applied_total", oneInSeats)).toBe(40);
  expect(rise("refold_commands_total", 'outcome="accepted"')).toBe(20);
  expect(rise("refold_http_request_seconds_count", 'route="/registrations"')).toBe(20);
  expect(rise("refold_freshness_seconds_count", oneInSeats)).toBeGreaterThan(0);
  for (const name of ["duplicates_dropped", "holes", "dead_letters", "fenced_flushes"]) {
    expect(after.sum(`refold_${name}_total`)).toBe(0);
  }
  expect(after.sum("refold_partitions", `${oneInSeats},state="running"`)).toBe(10);
  expect(after.sum("refold_build_info")).toBe(1);
  const known = (await new PrometheusMetrics().described()).map(({ name }) => name);
  expect(known).toEqual(expect.arrayContaining([...after.families]));
  expect(known.length).toBeGreaterThan(Object.keys(catalogue).length);
});
