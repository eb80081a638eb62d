import { makePool } from "../../connectors/postgres/index.ts";
import { runBoardOnKafka } from "./runner-on-kafka.ts";

/** A worker that runs until it is killed; its arguments are the database and a broker. */
const [url = "", broker = ""] = process.argv.slice(2);
await runBoardOnKafka(makePool({ url, name: "runner child" }), broker);
process.stdout.write("running\n");
