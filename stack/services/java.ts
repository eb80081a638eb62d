import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { runCommand } from "./commands.ts";
import { ServiceError } from "./service.ts";

/** A Java development kit. */
export interface Java {
  readonly major: number;
  readonly java: string;
  readonly javac: string;
}

const folders = ["/usr/lib/jvm", "/opt/java", "/Library/Java/JavaVirtualMachines"];

/**
 * The oldest Java on this machine that is new enough: JAVA_HOME and the usual folders are searched.
 *
 * @throws ServiceError when there is none.
 */
export async function findJava(majorMin: number): Promise<Java> {
  const kits = await Promise.all((await homes()).map(describe));
  const found = kits
    .filter((kit) => kit !== undefined)
    .filter((kit) => kit.major >= majorMin)
    .toSorted((one, other) => one.major - other.major)[0];
  if (found) return found;
  throw new ServiceError(
    `There is no Java ${majorMin} or newer in JAVA_HOME or ${folders.join(", ")}: install one ` +
      `(a JDK, for example Eclipse Temurin) or set JAVA_HOME.`,
  );
}

async function homes(): Promise<string[]> {
  const found = process.env["JAVA_HOME"] ? [process.env["JAVA_HOME"]] : [];
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    found.push(
      ...names.flatMap((name) => [join(folder, name), join(folder, name, "Contents/Home")]),
    );
  }
  return found.filter((home) => existsSync(join(home, "bin", "java")));
}

async function describe(home: string): Promise<Java | undefined> {
  const java = join(home, "bin", "java");
  const output = await runCommand({ program: java, args: ["-version"], remedy: "" }).catch(
    () => "",
  );
  const major = Number(/version "(\d+)/.exec(output)?.[1]);
  if (!(major > 0)) return undefined;
  return { major, java, javac: join(home, "bin", "javac") };
}
