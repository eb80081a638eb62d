import type { Answer, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import { type PageRequest, readPage, readRow, type RowPage } from "../../engine/read-rows.ts";
import { moduleCatalogue, type ModuleRow } from "./projection.ts";

export const moduleByCode = (
  reader: Pick<ReadModelReader, "get">,
  code: string,
): Promise<Answer<ModuleRow | undefined>> => readRow(reader, moduleCatalogue, code);

/** All modules in order of their code. */
export const modulesInOrder = (
  reader: Pick<ReadModelReader, "find">,
  page: PageRequest,
): Promise<Answer<RowPage<ModuleRow>>> => readPage(reader, moduleCatalogue, page);
