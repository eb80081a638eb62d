import type { Random } from "../../../engine/ports/clock.ts";

export interface OfferedModule {
  readonly code: string;
  readonly title: string;
  readonly capacity: number;
  readonly feeCents: number;
  /** How much of the crowd wants it; all modules' shares add up to 1. */
  readonly share: number;
}

const subjects = [
  "Algebra",
  "Programming",
  "Statistics",
  "Databases",
  "Mechanics",
  "Logic",
  "Linguistics",
  "Genetics",
  "Microeconomics",
  "Compilers",
  "Optics",
  "Ethics",
  "Networks",
  "Topology",
  "Botany",
  "Phonetics",
  "Game Theory",
  "Astronomy",
  "Thermodynamics",
  "Typography",
] as const;

const feesCents = [4_500, 9_000, 12_500, 20_000] as const;

/**
 * Modules of which the first are wanted most, with seats for about half of the wishes: between a
 * third of them in the first and two thirds in the last. Each second one has a fee.
 */
export function campusOf(modules: number, wishes: number): readonly OfferedModule[] {
  const weights = Array.from({ length: modules }, (_, at) => 1 / (1 + at / modules));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight, at) => {
    const share = weight / whole;
    const served = 1 / 3 + at / Math.max(1, modules - 1) / 3;
    const round = Math.floor(at / subjects.length);
    return {
      code: `M-${101 + at}`,
      title: `${subjects[at % subjects.length] ?? ""}${round === 0 ? "" : ` ${round + 1}`}`,
      capacity: Math.max(1, Math.round(wishes * share * served)),
      feeCents: at % 2 === 0 ? 0 : (feesCents[Math.floor(at / 2) % feesCents.length] ?? 0),
      share,
    };
  });
}

/** One of the modules, the more wanted the likelier. */
export function wanted(modules: readonly OfferedModule[], random: Random): OfferedModule {
  let left = random.next();
  const found = modules.find(({ share }) => (left -= share) < 0) ?? modules.at(-1);
  if (found === undefined) throw new RangeError("A campus has at least one module.");
  return found;
}

export const studentName = (index: number): string => `s-${String(index + 1).padStart(5, "0")}`;
