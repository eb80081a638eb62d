export { migrations } from "./migrations.ts";
export { PostgresStatusBoard, type PostgresStatusBoardOptions } from "./status-board.ts";
