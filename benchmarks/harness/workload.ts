import type { placeSettings } from "../../bin/environment.ts";

/** A setting of a workload, with the value that it has unless another is given. */
export type Setting =
  | {
      readonly kind: "number";
      readonly of: number;
      readonly least: number;
      readonly most: number;
      readonly what: string;
    }
  | {
      readonly kind: "choice";
      readonly of: string;
      readonly from: readonly string[];
      readonly what: string;
    };

export type SettingValue = number | string;

export type SettingValues = Readonly<Record<string, SettingValue>>;

/** Where servers are, by the names of the settings that say so. */
export type ServerName = (typeof placeSettings)[number];

/**
 * What is measured, as data. The measuring itself is a program of the benchmarks' folder, which
 * gets each setting as `--name value`, checks its result, and then tells its figures (tell.ts). It
 * runs in a process of its own for every repeat, so that no repeat inherits compiled code or memory.
 */
export interface Workload {
  readonly name: string;
  /** What the figures answer: a question of one sentence. */
  readonly question: string;
  /** What is not measured before the clock starts, or that the start is part of it: a sentence. */
  readonly warmUp: string;
  readonly settings: Readonly<Record<string, Setting>>;
  /** File name in `benchmarks/`. */
  readonly program: string;
  /** The servers' addresses that the program gets, by name; it runs on its own without them. */
  readonly servers: readonly ServerName[];
  readonly repeats: number;
  /** A repeat that takes longer has failed. */
  readonly limitSeconds: number;
  /** It takes so long that it runs only where it is named. */
  readonly onlyNamed?: true;
}
