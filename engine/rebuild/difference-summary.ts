import type { AnyRow } from "../columns.ts";
import { canonicalJson } from "../digest.ts";
import type { DifferenceSink } from "../ports/difference-sink.ts";
import type { FieldDifference, RebuildProof } from "../ports/rebuilds.ts";
import type { DifferingRow } from "./row-differences.ts";

export interface DifferenceSummaryOptions {
  readonly sink: DifferenceSink | undefined;
  /** Of each kind, and of each field. */
  readonly samplesMax: number;
  readonly sampleTextMax: number;
}

/** Rows given to the sink at once. */
const writtenTogether = 500;

type Sample = FieldDifference["samples"][number];

/** Counts differing rows, keeps a few of them, and gives all of them to the sink. */
export class DifferenceSummary {
  readonly #options: DifferenceSummaryOptions;
  readonly #fields = new Map<string, { rows: number; samples: Sample[] }>();
  readonly #addedSamples: string[] = [];
  readonly #removedSamples: string[] = [];
  #added = 0;
  #removed = 0;
  #changed = 0;
  #page: DifferingRow[] = [];

  constructor(options: DifferenceSummaryOptions) {
    this.#options = options;
  }

  async add(row: DifferingRow): Promise<void> {
    const { samplesMax, sink } = this.#options;
    if (row.live === undefined) {
      this.#added += 1;
      if (this.#addedSamples.length < samplesMax) this.#addedSamples.push(row.key);
    } else if (row.shadow === undefined) {
      this.#removed += 1;
      if (this.#removedSamples.length < samplesMax) this.#removedSamples.push(row.key);
    } else {
      this.#changed += 1;
      for (const field of row.fields) this.#field(field, row.key, [row.live, row.shadow]);
    }
    if (sink === undefined) return;
    this.#page.push(row);
    if (this.#page.length >= writtenTogether) await this.#write(sink);
  }

  /** Ends the sink too. */
  async close(): Promise<
    Pick<
      RebuildProof,
      "added" | "removed" | "changed" | "addedSamples" | "removedSamples" | "fields" | "file"
    >
  > {
    const { sink } = this.#options;
    if (sink !== undefined && this.#page.length > 0) await this.#write(sink);
    return {
      added: this.#added,
      removed: this.#removed,
      changed: this.#changed,
      addedSamples: this.#addedSamples,
      removedSamples: this.#removedSamples,
      fields: [...this.#fields].map(([field, of]) => ({ field, ...of })),
      file: await sink?.close(),
    };
  }

  async #write(sink: DifferenceSink): Promise<void> {
    const page = this.#page;
    this.#page = [];
    await sink.write(page);
  }

  #field(field: string, key: string, [live, shadow]: readonly [AnyRow, AnyRow]): void {
    let found = this.#fields.get(field);
    if (found === undefined) this.#fields.set(field, (found = { rows: 0, samples: [] }));
    found.rows += 1;
    if (found.samples.length >= this.#options.samplesMax) return;
    found.samples.push({ key, live: this.#text(live[field]), shadow: this.#text(shadow[field]) });
  }

  #text(value: unknown): string {
    const max = this.#options.sampleTextMax;
    const text = typeof value === "bigint" ? String(value) : canonicalJson(value ?? null);
    return text.length > max ? `${text.slice(0, max)}…` : text;
  }
}
