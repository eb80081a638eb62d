import { openLoop } from "./_open-loop.ts";

export interface RegistrationLoadOptions {
  readonly httpUrl: string;
  /** One after the other is registered for. */
  readonly codes: readonly string[];
  readonly perSecond: number;
}

const connections = 50;

/** Registers new students for modules at a steady rate, and counts what was accepted. */
export class RegistrationLoad {
  /** By module. */
  readonly accepted = new Map<string, number>();
  readonly #options: RegistrationLoadOptions;

  constructor(options: RegistrationLoadOptions) {
    this.#options = options;
  }

  /** @throws Error when one is refused. */
  async run(signal: AbortSignal): Promise<void> {
    const { httpUrl, perSecond, codes } = this.#options;
    await openLoop({
      httpUrl,
      perSecond,
      connections,
      signal,
      send: async (connection, { index }) => {
        const moduleCode = codes[index % codes.length] ?? "";
        const body = { moduleCode, studentId: `present-${index}` };
        const answer = await connection.post("/registrations", body);
        if (answer.status !== 201) throw new Error(`A registration was answered ${answer.body}.`);
        this.accepted.set(moduleCode, (this.accepted.get(moduleCode) ?? 0) + 1);
      },
    });
  }
}
