import { makePool } from "../../connectors/postgres/index.ts";
import { workShop } from "./shop-on-postgres.ts";

/** A process that works the shop until it is killed. */
const pool = makePool({ url: process.argv[2] ?? "", name: "shop child", connectionsMax: 6 });
await workShop(pool);
process.stdout.write("works\n");
