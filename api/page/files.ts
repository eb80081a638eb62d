import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { dirname, extname, join } from "node:path";

/** A file as it is served. */
export interface PageFile {
  readonly media: string;
  readonly body: Buffer;
  readonly etag: string;
}

const folder = join(import.meta.dirname, "client");

const mediaOf: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".js": "text/javascript; charset=utf-8",
};

/** The template library as its package has it for browsers: one file without imports. */
const libraryName = "lit-html.js";

/**
 * The page's files by the name that they are served under. The set is closed: nothing that a
 * request says becomes a path.
 *
 * In a checkout the scripts are TypeScript, whose types are taken out when they are first asked
 * for; in the published package the compiler has done so. Either way they are served as `.js`.
 */
export class PageFiles {
  readonly #paths: ReadonlyMap<string, string>;
  readonly #read = new Map<string, Promise<PageFile>>();

  constructor() {
    // Node is given a build of its own, in a folder beside the browser's.
    const forNode = createRequire(import.meta.url).resolve("lit-html");
    const library = join(dirname(forNode), "..", libraryName);
    const own = readdirSync(folder).flatMap((name) => {
      const served = servedName(name);
      return served === undefined ? [] : ([[served, join(folder, name)]] as const);
    });
    this.#paths = new Map([...own, [libraryName, library]]);
  }

  get names(): readonly string[] {
    return [...this.#paths.keys()];
  }

  /** undefined: there is no such file. */
  find(name: string): Promise<PageFile> | undefined {
    const path = this.#paths.get(name);
    if (path === undefined) return undefined;
    let file = this.#read.get(name);
    if (file === undefined) {
      file = readPageFile(path);
      this.#read.set(name, file);
    }
    return file;
  }
}

function servedName(name: string): string | undefined {
  if (name.endsWith(".d.ts") || name.endsWith(".map")) return undefined;
  if (name.endsWith(".ts")) return name.replace(/\.ts$/, ".js");
  return mediaOf[extname(name)] === undefined ? undefined : name;
}

async function readPageFile(path: string): Promise<PageFile> {
  const extension = extname(path);
  const text = await readFile(path, "utf8");
  const body = Buffer.from(extension === ".ts" ? scriptOf(text) : withoutMap(text), "utf8");
  const media = mediaOf[extension === ".ts" ? ".js" : extension] ?? "application/octet-stream";
  const digest = createHash("sha256").update(body).digest("base64url");
  return { media, body, etag: `"${digest}"` };
}

/** What the compiler does for the package: no types, and imports of what is served. */
function scriptOf(source: string): string {
  const script = stripTypeScriptTypes(source, { mode: "strip" });
  return script.replaceAll(/(from\s+"\.\/[\w-]+)\.ts"/g, '$1.js"');
}

/** Maps aren't served; a browser's developer tools would ask for them in vain. */
const withoutMap = (text: string): string => text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
