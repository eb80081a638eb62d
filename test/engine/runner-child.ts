import { makePool } from "../../connectors/postgres/index.ts";
import { runBoard } from "./runner-on-postgres.ts";

/** A process that keeps a read model until it is killed; its argument is the database. */
const [url = ""] = process.argv.slice(2);
await runBoard(makePool({ url, name: "runner child" }));
process.stdout.write("running\n");
