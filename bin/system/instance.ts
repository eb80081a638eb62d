import { hostname } from "node:os";

/** Names this process among those that share a database. */
export const instanceName = `${hostname()}:${process.pid}`;
