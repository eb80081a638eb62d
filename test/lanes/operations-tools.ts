import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { parse } from "yaml";

import type { Missing, Servers } from "./servers.ts";

const run = promisify(execFile);

const kubernetesVersion = "1.35.0";
/** Carries the schemas that Kubernetes publishes, of many versions. */
const schemasPackage = "kubernetes-validate==1.37.0";
const kustomize = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1";
const kubeconform = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0";

/** Modules of Go in which the makers of resources keep their definitions. */
const resourceDefinitions = [
  { module: "github.com/kedacore/keda/v2@v2.21.0", folder: "config/crd/bases" },
  {
    module: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
    folder: "example/prometheus-operator-crd",
  },
] as const;

/** What renders and checks what stack/ has for Kubernetes and Prometheus; kept for the next time. */
export async function operationsTools(
  cache = join(homedir(), ".cache", "refold", "operations"),
): Promise<Servers | Missing> {
  const promtool = await foundProgram("promtool");
  if (promtool === undefined) {
    return { reason: "there is no promtool (Debian: apt-get install prometheus)" };
  }
  try {
    const environment = {
      PROMTOOL: promtool,
      KUSTOMIZE: await goProgram(kustomize, cache),
      KUBECONFORM: await goProgram(kubeconform, cache),
      KUBERNETES_SCHEMAS: await schemas(cache),
    };
    return { from: cache, environment, stop: () => Promise.resolve() };
  } catch (error) {
    const why = (error as Error).message;
    return { reason: `Go 1.24 or later and Python 3 with pip are needed: ${why}` };
  }
}

async function foundProgram(name: string): Promise<string | undefined> {
  try {
    return (await run("which", [name])).stdout.trim();
  } catch {
    return undefined;
  }
}

/** A program of a Go module in exactly this version. */
async function goProgram(module: string, cache: string): Promise<string> {
  const folder = join(cache, "bin", module.replaceAll(/[^\w.@-]/g, "_"));
  const [name = ""] = /[^/@]+(?=(\/v\d+)?@)/.exec(module) ?? [];
  if (!existsSync(join(folder, name))) {
    await run("go", ["install", module], { env: { ...process.env, GOBIN: folder } });
  }
  return join(folder, name);
}

/** A folder of JSON schemas, `<kind>-<group>-<version>.json`, each whole in itself. */
async function schemas(cache: string): Promise<string> {
  const folder = join(cache, `schemas-${kubernetesVersion}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const made = await mkdtemp(join(cache, "schemas-made-"));
  await writeOwnSchemas(made);
  for (const definitions of resourceDefinitions) await writeDefined(made, definitions);
  await rename(made, folder);
  return folder;
}

async function writeOwnSchemas(to: string): Promise<void> {
  const unpacked = await mkdtemp(join(tmpdir(), "refold-schemas-"));
  try {
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", unpacked];
    await run("python3", [...pip, schemasPackage]);
    const from = join(
      unpacked,
      "kubernetes_validate/kubernetes-json-schema",
      `v${kubernetesVersion}-local-strict`,
    );
    const { $defs } = await readSchema(join(from, "_definitions.json"));
    const files = (await readdir(from)).filter((file) =>
      /^[a-z]+(-[a-z]+)?-v\d+\.json$/.test(file),
    );
    for (const file of files) {
      const schema = await readSchema(join(from, file));
      const isResource = "x-kubernetes-group-version-kind" in schema && !file.includes("list-");
      if (isResource) await writeFile(join(to, file), JSON.stringify({ ...schema, $defs }));
    }
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

/** References into the file beside it become its own; names that nothing answers to are left out. */
async function readSchema(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = (await readFile(path, "utf8")).replaceAll("/api/_definitions.json#", "#");
  const leaveOut = new Set(["$id", "$schema"]);
  return JSON.parse(text, (key, value: unknown) =>
    leaveOut.has(key) ? undefined : value,
  ) as Record<string, unknown>;
}

interface ResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: object };
    }[];
  };
}

async function writeDefined(
  to: string,
  { module, folder }: (typeof resourceDefinitions)[number],
): Promise<void> {
  // Outside of a module of its own, wherever the tests were started.
  const { stdout } = await run("go", ["mod", "download", "-json", module], { cwd: tmpdir() });
  const { Dir: root } = JSON.parse(stdout) as { readonly Dir: string };
  for (const file of await readdir(join(root, folder))) {
    if (!file.endsWith(".yaml")) continue;
    const text = await readFile(join(root, folder, file), "utf8");
    const { spec } = parse(text) as Partial<ResourceDefinition>;
    for (const { name, schema } of spec?.versions ?? []) {
      const kind = `${spec?.names.kind.toLowerCase()}-${spec?.group.split(".")[0]}-${name}.json`;
      await writeFile(join(to, kind), JSON.stringify(schema.openAPIV3Schema));
    }
  }
}
