import { CommandFailure } from "../../bin/command-failure.ts";
import type { Setting, Workload } from "./workload.ts";

const count = (of: number, what: string, most = 100_000_000): Setting => ({
  kind: "number",
  of,
  least: 1,
  most,
  what,
});

const choice = (from: readonly [string, ...string[]], what: string): Setting => ({
  kind: "choice",
  of: from[0],
  from,
  what,
});

/** What `refold bench` measures, in the order in which it does. */
export const workloads: readonly Workload[] = [
  {
    name: "codec",
    question: "What does it cost to encode and to decode one event?",
    warmUp: "a first round is not counted: it compiles",
    settings: {
      rounds: count(5, "rounds, of which the median counts", 1_000),
      operations: count(400_000, "operations of a round"),
    },
    program: "codec.ts",
    servers: [],
    repeats: 1,
    limitSeconds: 300,
  },
  {
    name: "fold",
    question: "How many events a second does a task fold where reading and writing cost nothing?",
    warmUp: "none: a process that has just begun compiles while it folds",
    settings: {
      events: count(500_000, "events in all"),
      keys: count(2_000, "keys that they are spread over", 10_000_000),
    },
    program: "fold.ts",
    servers: [],
    repeats: 3,
    limitSeconds: 300,
  },
  {
    name: "catch-up",
    question: "How fast does a projection that stands at the beginning reach the log's end?",
    warmUp: "the same once before, into another read model in Postgres, unmeasured",
    settings: {
      events: count(1_000_000, "events in all"),
      keys: count(2_000, "keys that they are spread over", 10_000_000),
      from: choice(["embedded", "kafka"], "the log: Postgres, or the brokers of KAFKA_BROKERS"),
      into: choice(
        ["postgres", "both", "redis"],
        "where the last row is waited for and rows are compared: Postgres, both, or Redis alone, " +
          "which gets them from Postgres' commits",
      ),
    },
    program: "catch-up.ts",
    servers: ["KAFKA_BROKERS"],
    repeats: 1,
    limitSeconds: 900,
  },
  {
    name: "rebuild",
    question: "How fast is a new generation of a read model filled from its whole history?",
    warmUp: "a rebuild, and a catch-up into another read model, unmeasured",
    settings: { events: count(1_000_000, "events in all") },
    program: "rebuild.ts",
    servers: ["KAFKA_BROKERS"],
    repeats: 1,
    limitSeconds: 1_800,
  },
  {
    name: "capture",
    question: "How fast do row changes reach the embedded log?",
    warmUp: "a capture has made its slot; the one that is measured begins with its process warm",
    settings: { rows: count(200_000, "rows of the backlog, of a table and of the outbox each") },
    program: "capture.ts",
    servers: [],
    repeats: 1,
    limitSeconds: 900,
  },
  {
    name: "append",
    question: "How many events a second are appended under a condition?",
    warmUp: "5,000 appends are not counted, nor are 2,000 in each of several processes",
    settings: {
      requests: count(100_000, "requests of many waiting clients"),
      waiting: count(4_000, "clients that wait at once", 100_000),
      alone: count(3_000, "requests of one client that waits for each"),
      processes: count(4, "processes that share requests and clients in a round of their own", 16),
    },
    program: "append.ts",
    servers: [],
    repeats: 1,
    limitSeconds: 600,
  },
  {
    name: "commands",
    question: "How long does a registration over HTTP take at a steady rate of arrivals?",
    warmUp: "the rate is held for 3 s before what is counted",
    settings: {
      perSecond: count(1_000, "registrations that are due a second", 100_000),
      seconds: count(10, "how long they are counted", 3_600),
    },
    program: "commands.ts",
    servers: [],
    repeats: 1,
    limitSeconds: 4_000,
  },
  {
    name: "freshness",
    question: "How long after it was recorded is an event in its row, and with those who listen?",
    warmUp: "the rate is held for 5 s before what is counted",
    settings: {
      perSecond: count(5_000, "events that are due a second", 100_000),
      seconds: count(10, "how long they are counted", 3_600),
      keys: count(2_000, "keys that they are spread over", 10_000_000),
      from: choice(
        ["store", "embedded", "kafka"],
        "where the clock starts: the event store, or an append to the log",
      ),
    },
    program: "freshness.ts",
    servers: ["KAFKA_BROKERS"],
    repeats: 1,
    limitSeconds: 4_000,
  },
  {
    name: "restart",
    question: "How long after kill -9 is the first record applied again?",
    warmUp: "none: what starts cold is what is asked for; the database is left running by the kill",
    settings: { rounds: count(5, "kills in a row", 100) },
    program: "restart.ts",
    servers: [],
    repeats: 1,
    limitSeconds: 900,
  },
  {
    name: "soak",
    question: "Does memory stay flat while commands and catch-ups run at full speed?",
    warmUp: "60,000 registrations are there; 25,000 commands and ten catch-ups are not counted",
    settings: {
      seconds: count(600, "how long it is watched", 86_400),
      connections: count(50, "clients that send the next command when they are answered", 10_000),
      events: count(500_000, "events of the log that is caught up with again and again"),
      history: count(60_000, "registrations that are there before the first command"),
      warmUp: count(25_000, "commands that fill what is kept, before what is watched"),
    },
    program: "soak.ts",
    servers: [],
    repeats: 1,
    limitSeconds: 90_000,
    onlyNamed: true,
  },
  {
    name: "scale",
    question: "What do more partitions, keys, projections and processes cost a catch-up?",
    warmUp:
      "the usual case once, unmeasured; every case has a new server. Workers have shared out the " +
      "partitions when the clock starts, and compile while they catch up",
    settings: {
      events: count(300_000, "events of each case, or as many as it has keys"),
      partitions: count(100, "the most partitions", 1_000),
      keys: count(100_000, "the most keys", 10_000_000),
      projections: count(50, "the most projections", 500),
      workers: count(4, "the most processes that share the partitions", 10),
    },
    program: "scale.ts",
    servers: [],
    repeats: 1,
    limitSeconds: 3_600,
  },
  {
    name: "append-peers",
    question: "What do event stores from npm append under a condition, on the same server?",
    warmUp: "a tenth of each load has gone to the same store, unmeasured",
    settings: {
      calls: count(2_000, "calls of one event each; a tenth as many of a hundred", 1_000_000),
      bytes: count(200, "payload of an event", 1_000_000),
    },
    program: "append-peers.ts",
    servers: [],
    repeats: 1,
    limitSeconds: 1_800,
  },
  {
    name: "rebuild-peers",
    question: "How fast is a rebuild beside Emmett's, on the same events and the same server?",
    warmUp: "each has rebuilt 300 events, with one projection and with two",
    settings: {
      events: count(
        3_000,
        "events of 2 kB that both rebuild, a hundred of each stream",
        10_000_000,
      ),
      writers: count(4, "connections by which Emmett's events are appended at once", 30),
      batch: count(1_000, "events that Emmett's consumer reads at once", 100_000),
      more: count(100_000, "events of the same kind that Refold rebuilds alone", 10_000_000),
      seats: count(1_000_000, "events of the application's size that Refold rebuilds alone"),
    },
    program: "rebuild-peers.ts",
    servers: [],
    repeats: 1,
    limitSeconds: 3_600,
  },
  {
    name: "peers",
    question: "What do the usual ways to keep a read model reach on the same data and server?",
    warmUp: "the runner and the batch consumer have each done the whole topic once, unmeasured",
    settings: {
      events: count(1_000_000, "events in the topic"),
      naiveEvents: count(10_000, "of them for the consumer that commits each event by itself"),
      keys: count(2_000, "keys that they are spread over", 10_000_000),
    },
    program: "peers.ts",
    servers: ["KAFKA_BROKERS"],
    repeats: 1,
    limitSeconds: 1_800,
  },
];

/**
 * The workloads of these names; for none, all that don't have to be named.
 * @throws CommandFailure `usage` for a name that no workload has.
 */
export function workloadsNamed(names: readonly string[]): readonly Workload[] {
  const unknown = names.filter((name) => !workloads.some((one) => one.name === name));
  if (unknown.length > 0) {
    const known = workloads.map(({ name }) => name).join(", ");
    throw new CommandFailure("usage", `No workload ${unknown.join(", ")}: there are ${known}.`);
  }
  return names.length === 0
    ? workloads.filter(({ onlyNamed }) => onlyNamed !== true)
    : workloads.filter(({ name }) => names.includes(name));
}
