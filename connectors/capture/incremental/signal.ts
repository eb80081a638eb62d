/** What a row of the signal table asks for; types and data are Debezium's. */
export type Signal =
  | {
      readonly kind: "execute";
      /** Expressions; each matches a whole `schema.table`. */
      readonly tables: readonly string[];
      readonly filters: readonly { readonly table: string; readonly filter: string }[];
      readonly surrogateKey: string | undefined;
    }
  /** No tables: all of them. */
  | { readonly kind: "stop"; readonly tables: readonly string[] }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  /** Debezium writes it to its log, and ignores what it can't read; so does a capture. */
  | { readonly kind: "none" };

const nothing: Signal = { kind: "none" };

/** Reads a signal; snapshots of another type than incremental are none. */
export function readSignal(type: string, data: string | undefined): Signal {
  const told = parse(data);
  if (told === undefined) return nothing;
  if ((text(told["type"]) ?? "incremental").toLowerCase() !== "incremental") return nothing;
  switch (type) {
    case "execute-snapshot":
      return {
        kind: "execute",
        tables: texts(told["data-collections"]),
        filters: filtersOf(told),
        surrogateKey: text(told["surrogate-key"]),
      };
    case "stop-snapshot":
      return { kind: "stop", tables: texts(told["data-collections"]) };
    case "pause-snapshot":
      return { kind: "pause" };
    case "resume-snapshot":
      return { kind: "resume" };
    default:
      return nothing;
  }
}

type Told = Readonly<Record<string, unknown>>;

function parse(data: string | undefined): Told | undefined {
  if (data === undefined || data.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Told =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap((one) => text(one) ?? []) : [];

function filtersOf(told: Told): { table: string; filter: string }[] {
  const listed = told["additional-conditions"];
  if (!Array.isArray(listed)) return [];
  return listed.filter(isObject).flatMap((one) => {
    const table = text(one["data-collection"]);
    const filter = text(one["filter"]);
    return table === undefined || filter === undefined ? [] : [{ table, filter }];
  });
}
