import { prove } from "../bin/demo/audit/prove.ts";
import { gatherEvidence } from "../bin/demo/audit/evidence.ts";
import { untilQuiet } from "../bin/demo/audit/quiet.ts";
import { openSessions, type TokenBook } from "../bin/demo/access/sign-in.ts";
import { campusOf, type OfferedModule, studentName } from "../bin/demo/crowd/campus.ts";
import { Crowd } from "../bin/demo/crowd/crowd.ts";
import { HttpClient } from "../bin/demo/crowd/http-client.ts";
import { type HeardAnswer, KeyedSender } from "../bin/demo/crowd/keyed-sender.ts";
import { scheduleOf, wishesOf } from "../bin/demo/crowd/schedule.ts";
import { offer } from "../bin/demo/offer.ts";
import { systemClock } from "../bin/system-clock.ts";
import { connect, type Connected } from "../bin/system/connect.ts";
import { SeededRandom } from "../engine/memory/clock.ts";
import { AnswerTally } from "./_answer-tally.ts";
import type { MeasuredInstance } from "./_instance.ts";

const patienceMs = 120_000;
const never = new AbortController().signal;

/** The stores of a running instance, for what is prepared and checked beside it. */
export function storesOf({ options }: MeasuredInstance): Promise<Connected> {
  const [, data = ""] = options;
  return connect("benchmark", { data });
}

/** Modules for so many students, on offer, with seats for about half of their wishes. */
export async function offeredTo(
  students: number,
  { pool }: Connected,
  prefix: string,
): Promise<readonly OfferedModule[]> {
  const modules = campusOf(20, wishesOf(students)).map((module) => {
    return { ...module, code: `${prefix}${module.code}` };
  });
  await offer(pool, modules, never);
  return modules;
}

/** A token for each of so many students, from sessions of the real command. */
export async function tokensOf(students: number, stores: Connected): Promise<TokenBook> {
  const tokens: TokenBook = new Map();
  const names = Array.from({ length: students }, (_, at) => studentName(at));
  await openSessions(stores, names, tokens);
  return tokens;
}

export interface CrowdGiven {
  readonly instance: MeasuredInstance;
  readonly modules: readonly OfferedModule[];
  readonly students: number;
  readonly perSecond: number;
  readonly tokens: TokenBook;
  /** Another one names other wishes, and so other keys. */
  readonly seed: number;
}

/**
 * Sends a crowd, and resolves when everybody is answered and has paid. Each answer to a registration
 * is tallied on its own: whoever is put off comes again, which is another request.
 */
export async function sendCrowd(given: CrowdGiven) {
  const { instance, tokens, seed, ...schedule } = given;
  const random = new SeededRandom(seed);
  const wishes = scheduleOf({ ...schedule, random }).map((wish) => {
    return { ...wish, name: `${seed}-${wish.name}` };
  });
  using client = new HttpClient({
    url: instance.httpUrl,
    connectionsMax: 1_000,
    timeoutMs: 20_000,
  });
  const clock = systemClock;
  const tally = new AnswerTally(performance.now());
  const onAnswer = ({ command, kind, dueMs }: HeardAnswer) => {
    if (command.path === "/registrations") tally.add(kind, dueMs);
  };
  const sender = new KeyedSender({ client, clock, random, patienceMs, onAnswer });
  const authorisation = (student: string) => ({
    authorization: `Bearer ${tokens.get(student) ?? ""}`,
  });
  const crowd = new Crowd({ wishes, sender, clock, authorisation });
  await crowd.run(never);
  return { crowd, wishes: wishes.length, troubles: sender.troubles, tally };
}

/**
 * Waits until nothing is under way, and holds everything against log, answers and books.
 *
 * @throws Error naming the first claim that fails.
 */
export async function assertProved(stores: Connected, crowds: readonly Crowd[]): Promise<void> {
  const tell = () => undefined;
  await untilQuiet({ pool: stores.pool, clock: systemClock, patienceMs, signal: never, tell });
  const evidence = await gatherEvidence(stores, allTold(crowds));
  for (const { says, against } of prove(evidence)) {
    if (against.length > 0) throw new Error(`It does not hold: ${says}. ${against[0] ?? ""}`);
  }
}

function allTold(crowds: readonly Crowd[]): Crowd["told"] {
  const tolds = crowds.map(({ told }) => told);
  return {
    registered: new Map(tolds.flatMap(({ registered }) => [...registered])),
    paid: new Set(tolds.flatMap(({ paid }) => [...paid])),
    withdrawn: new Set(tolds.flatMap(({ withdrawn }) => [...withdrawn])),
    refused: new Map(),
    unsettled: tolds.flatMap(({ unsettled }) => unsettled),
    unsettledSeats: new Set(tolds.flatMap(({ unsettledSeats }) => [...unsettledSeats])),
    strange: tolds.flatMap(({ strange }) => strange),
  };
}
