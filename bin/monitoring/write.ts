import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { generatedMonitoring } from "./generated.ts";

const stack = join(import.meta.dirname, "../../stack");

for (const [path, text] of await generatedMonitoring()) {
  await mkdir(dirname(join(stack, path)), { recursive: true });
  await writeFile(join(stack, path), text);
}
