import { certificateAdvice } from "../tls/certificate-advice.ts";

/** What was looked at, and how it was found. */
export interface Finding {
  /** `postgres`, `kafka`, ... */
  readonly server: string;
  /** `ok`; `warning`: works, and will hurt some day; `fault`: something doesn't work. */
  readonly state: "ok" | "warning" | "fault";
  readonly what: string;
  /** What to do about it, as a sentence; empty where all is well. */
  readonly fix: string;
}

/** Collects the findings of one server. */
export class Findings {
  readonly #server: string;
  readonly #list: Finding[] = [];

  constructor(server: string) {
    this.#server = server;
  }

  get list(): readonly Finding[] {
    return this.#list;
  }

  ok(what: string): void {
    this.#list.push({ server: this.#server, state: "ok", what, fix: "" });
  }

  warning(what: string, fix: string): void {
    this.#list.push({ server: this.#server, state: "warning", what, fix });
  }

  fault(what: string, fix: string): void {
    this.#list.push({ server: this.#server, state: "fault", what, fix });
  }
}

/** Runs the examination of a server; what it throws is a finding too. */
export async function examined(
  server: string,
  { fix, look }: { readonly fix: string; readonly look: (found: Findings) => Promise<void> },
): Promise<readonly Finding[]> {
  const found = new Findings(server);
  try {
    await look(found);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    found.fault(what, certificateAdvice(error) ?? fix);
  }
  return found.list;
}
