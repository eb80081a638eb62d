import { copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Puts what the compiler leaves alone beside what it has made of the page's scripts. */
const from = join(import.meta.dirname, "client");
const to = join(import.meta.dirname, "../../dist/api/page/client");

await mkdir(to, { recursive: true });
for (const name of await readdir(from)) {
  if (/\.(html|css|svg)$/.test(name)) await copyFile(join(from, name), join(to, name));
}
