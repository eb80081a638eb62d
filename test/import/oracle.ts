import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a plain script makes of the files: no code of the project is used here on purpose. */
export interface Seats {
  readonly capacity: number;
  readonly confirmed: number;
}

interface OracleRow {
  readonly module: string;
  readonly registeredAt: number;
  readonly withdrawnAt: number;
}

const day = 24 * 60 * 60 * 1000;

/** After every withdrawal; those who never withdrew do so at infinity. */
export const endOfTime = Number.MAX_SAFE_INTEGER;

/** Seats by module at a time. */
export class Oracle {
  readonly rows: OracleRow[] = [];
  readonly capacity = new Map<string, number>();
  readonly offeredAt: number;

  constructor(folder: string) {
    const lines = readFileSync(join(folder, "studentRegistration.csv"), "utf8").split(/\r?\n/);
    for (const line of lines.slice(1)) {
      if (line === "") continue;
      const [module = "", presentation = "", , registered = "", withdrawn = ""] = line
        .split(",")
        .map((cell) => cell.slice(1, -1));
      const code = `${module}-${presentation}`;
      this.capacity.set(code, (this.capacity.get(code) ?? 0) + 1);
      if (registered === "") continue;
      const month = presentation.endsWith("J") ? "10" : "02";
      const start = Date.parse(`${presentation.slice(0, 4)}-${month}-01T00:00:00Z`);
      this.rows.push({
        module: code,
        registeredAt: start + Number(registered) * day + 9 * 60 * 60 * 1000,
        withdrawnAt:
          withdrawn === "" ? Infinity : start + Number(withdrawn) * day + 17 * 60 * 60 * 1000,
      });
    }
    this.offeredAt = Math.min(...this.rows.map((row) => row.registeredAt)) - day;
  }

  at(time: number): Map<string, Seats> {
    const seats = new Map<string, Seats>();
    for (const [module, capacity] of this.capacity) {
      const mine = this.rows.filter((row) => row.module === module && row.registeredAt <= time);
      const confirmed = mine.filter((row) => !(row.withdrawnAt <= time)).length;
      seats.set(module, { capacity, confirmed });
    }
    return seats;
  }

  get registrations(): number {
    return this.rows.length;
  }

  get withdrawals(): number {
    return this.rows.filter((row) => row.withdrawnAt !== Infinity).length;
  }
}
