import { CommandFailure } from "../../bin/command-failure.ts";
import type { Setting, SettingValue, SettingValues, Workload } from "./workload.ts";

/**
 * Each workload's settings with those given as `name=value`, or `workload.name=value` for one of
 * them; the last of a name wins.
 *
 * @throws CommandFailure `usage` for a setting that none of the workloads has, and a value that it
 * can't have.
 */
export function settingsOf(
  workloads: readonly Workload[],
  given: readonly string[],
): ReadonlyMap<Workload, SettingValues> {
  const assigned = given.map(assignmentOf);
  for (const { text, name, workload } of assigned) {
    const known = workloads.some((one) => isOf(one, { name, workload }));
    if (!known) throw unknownSetting(text, workloads);
  }
  return new Map(
    workloads.map((workload) => {
      const values: Record<string, SettingValue> = {};
      for (const [name, { of }] of Object.entries(workload.settings)) values[name] = of;
      for (const assignment of assigned) {
        const setting = isOf(workload, assignment) ? workload.settings[assignment.name] : undefined;
        if (setting) values[assignment.name] = valueOf(setting, assignment);
      }
      return [workload, values];
    }),
  );
}

interface Assignment {
  readonly text: string;
  /** Left out: of every workload that has the setting. */
  readonly workload: string | undefined;
  readonly name: string;
  readonly value: string;
}

function assignmentOf(text: string): Assignment {
  const [, workload, name, value] = /^(?:([a-z-]+)\.)?([a-zA-Z]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new CommandFailure(
      "usage",
      `--set takes name=value or workload.name=value, not "${text}": refold bench list tells the ` +
        "settings.",
    );
  }
  return { text, workload, name, value };
}

const isOf = (one: Workload, { name, workload }: Pick<Assignment, "name" | "workload">): boolean =>
  (workload === undefined || workload === one.name) && Object.hasOwn(one.settings, name);

function unknownSetting(text: string, workloads: readonly Workload[]): CommandFailure {
  const known = workloads.map(({ name, settings }) => {
    const names = Object.keys(settings);
    return `${name} has ${names.length === 0 ? "none" : names.join(", ")}`;
  });
  return new CommandFailure(
    "usage",
    `No workload of this run has the setting in "${text}": ${known.join("; ")}.`,
  );
}

function valueOf(setting: Setting, { name, value }: Assignment): SettingValue {
  if (setting.kind === "choice") {
    if (setting.from.includes(value)) return value;
    throw wrongValue(name, value, `one of ${setting.from.join(", ")}`);
  }
  const { least, most } = setting;
  const number = Number(value);
  if (/^\d{1,15}$/.test(value) && number >= least && number <= most) return number;
  throw wrongValue(name, value, `a whole number from ${least} to ${most}`);
}

const wrongValue = (name: string, value: string, wanted: string): CommandFailure =>
  new CommandFailure("usage", `The setting ${name} is ${wanted}, not "${value}".`);
