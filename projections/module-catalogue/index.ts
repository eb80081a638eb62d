export { moduleCatalogue, type ModuleRow } from "./projection.ts";
export { moduleByCode, modulesInOrder } from "./queries.ts";
