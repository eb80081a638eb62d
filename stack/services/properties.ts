import { writeFile } from "node:fs/promises";

/** Writes a file of Java properties. */
export async function writeProperties(
  path: string,
  properties: Readonly<Record<string, string | number>>,
): Promise<void> {
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  await writeFile(path, `${lines.join("\n")}\n`);
}

/** Warnings and errors to standard output. */
export const loggingProperties = {
  "appender.out.type": "Console",
  "appender.out.name": "out",
  "appender.out.layout.type": "PatternLayout",
  "appender.out.layout.pattern": "%d %p %c{1} %m%n",
  "rootLogger.level": "warn",
  "rootLogger.appenderRef.out.ref": "out",
};
