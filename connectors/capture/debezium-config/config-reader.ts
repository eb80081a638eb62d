import { FatalError } from "../../../engine/errors.ts";
import type { NamePattern } from "../tables/selection.ts";

/** Debezium's configuration as its connector takes it: names and texts. */
export type ConnectorConfig = Readonly<Record<string, string>>;

/**
 * Reads options by name and remembers which were asked for, so that what nobody reads, or what has
 * a value that isn't supported, can be refused together and by name.
 */
export class ConfigReader {
  readonly #config: ConnectorConfig;
  readonly #read = new Set<string>();
  readonly #faults: string[] = [];

  constructor(config: ConnectorConfig) {
    this.#config = config;
  }

  text(name: string): string | undefined {
    this.#read.add(name);
    return this.#config[name];
  }

  textOr(name: string, otherwise: string): string {
    return this.text(name) ?? otherwise;
  }

  /** One of the values that are supported; any other is a fault. */
  oneOf<Value extends string>(name: string, values: readonly Value[], otherwise: Value): Value {
    const given = this.text(name);
    if (given === undefined) return otherwise;
    const wanted = given.trim().toLowerCase();
    const found = values.find((value) => value.toLowerCase() === wanted);
    if (found === undefined) this.fault(`${name}=${given} (supported: ${values.join(", ")})`);
    return found ?? otherwise;
  }

  flag(name: string, otherwise: boolean): boolean {
    return this.oneOf(name, ["true", "false"], otherwise ? "true" : "false") === "true";
  }

  /** A whole number of at least 0. */
  count(name: string, otherwise: number): number {
    const given = this.text(name);
    if (given === undefined) return otherwise;
    if (/^\d{1,15}$/.test(given.trim())) return Number(given);
    this.fault(`${name}=${given} (a whole number is needed)`);
    return otherwise;
  }

  /** Expressions between commas, as Debezium takes them; each matches a whole name. */
  patterns(name: string): readonly NamePattern[] | undefined {
    const given = this.text(name);
    if (given === undefined || given.trim() === "") return undefined;
    return splitList(given).flatMap((text) => this.pattern(name, text));
  }

  /** An expression that matches a whole name; none where it can't be read, which is a fault. */
  pattern(name: string, text: string): NamePattern[] {
    try {
      return [new RegExp(`^(?:${text})$`, "i")];
    } catch {
      this.fault(`${name}: the expression ${text} can't be read`);
      return [];
    }
  }

  /** Names of options that begin so, whether read or not. */
  namesWith(prefix: string): string[] {
    return Object.keys(this.#config).filter((name) => name.startsWith(prefix));
  }

  /** Options that are taken and change nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  fault(sentence: string): void {
    this.#faults.push(sentence);
  }

  /** @throws FatalError `config-unsupported` naming every option that isn't supported. */
  finish(): void {
    const unread = Object.keys(this.#config).filter((name) => !this.#read.has(name));
    const all = [...this.#faults, ...unread.map((name) => `${name}=${this.#config[name]}`)];
    if (all.length === 0) return;
    throw new FatalError(
      "config-unsupported",
      `The embedded capture doesn't support these options of the connector: ${all.join("; ")}.`,
      "Leave them out or give a supported value; docs/capture.md lists what is supported.",
    );
  }
}

/** Splits at commas; a backslash before a comma keeps it. */
export function splitList(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((part) => part.replaceAll("\\,", ",").trim())
    .filter((part) => part !== "");
}
