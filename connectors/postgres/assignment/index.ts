export { forgetOwners } from "./lease-round.ts";
export { migrations } from "./migrations.ts";
export { PostgresAssignment, type PostgresAssignmentOptions } from "./assignment.ts";
