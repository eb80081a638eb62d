/** Appends with everything that may come with it until it is killed, and says what was appended. */
import { writeSync } from "node:fs";

import { PostgresEventStore } from "../../connectors/postgres/event-store/index.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { command, event } from "../event-store/events.ts";

const pool = makePool({ url: process.argv[2] ?? "", name: "writer" });
const store = new PostgresEventStore({ pool });

async function write(writer: number): Promise<never> {
  for (let i = 0; ; i += 1) {
    const id = `w${writer}-${i}`;
    const cause = { tags: [`payment:${id}`], correlationId: id };
    const verdict = await store.append(
      {
        events: [event("A", cause.tags, { id })],
        condition: [],
        alongside: {
          once: [{ scope: "clients", key: id, fingerprint: "f", answer: id, events: [id] }],
          effects: [{ key: id, kind: "payment.charge", input: 1, ...cause }],
          deadlines: [{ change: "set", name: "due", key: id, atMs: 1, ...cause }],
        },
      },
      command,
    );
    if (verdict.outcome === "appended") writeSync(1, `${id}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
