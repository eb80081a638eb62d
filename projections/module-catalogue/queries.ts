import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { moduleCatalogue, type ModuleRow } from "./projection.ts";

export interface ModulePage {
  readonly rows: readonly ModuleRow[];
  readonly next: string | undefined;
}

export async function moduleByCode(
  reader: Pick<ReadModelReader, "get">,
  code: string,
): Promise<Answer<ModuleRow | undefined>> {
  return (await reader.get(moduleCatalogue.name, code)) as Answer<ModuleRow | undefined>;
}

/** All modules in order of their code. */
export async function modulesInOrder(
  reader: Pick<ReadModelReader, "find">,
  page: { readonly limit: number; readonly cursor: string | undefined },
): Promise<Answer<ModulePage>> {
  const { limit, cursor } = page;
  const answer = await reader.find(
    moduleCatalogue.name,
    cursor === undefined ? { limit } : { limit, after: cursor },
  );
  const rows = answer.result.rows.map(({ row }) => row as ModuleRow);
  return { ...answer, result: { rows, next: answer.result.next } };
}
