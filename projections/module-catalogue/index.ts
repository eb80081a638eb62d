export { moduleCatalogue, type ModuleRow } from "./projection.ts";
export { moduleByCode, type ModulePage, modulesInOrder } from "./queries.ts";
