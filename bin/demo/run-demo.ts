import { SeededRandom } from "../../engine/memory/clock.ts";
import { CommandFailure } from "../command-failure.ts";
import { systemClock } from "../system-clock.ts";
import { connect, type Connected } from "../system/connect.ts";
import { type Claim, claimText } from "./audit/claim.ts";
import { gatherEvidence } from "./audit/evidence.ts";
import { prove } from "./audit/prove.ts";
import { untilQuiet } from "./audit/quiet.ts";
import { makeAccounts } from "./access/accounts.ts";
import { openSessions, signInByPassword, type TokenBook } from "./access/sign-in.ts";
import { campusOf, type OfferedModule, studentName } from "./crowd/campus.ts";
import { Crowd } from "./crowd/crowd.ts";
import { HttpClient } from "./crowd/http-client.ts";
import { KeyedSender } from "./crowd/keyed-sender.ts";
import { scheduleOf, wishesOf } from "./crowd/schedule.ts";
import { DemoFolder } from "./demo-folder.ts";
import { offer } from "./offer.ts";
import type { DemoOptions } from "./options.ts";
import { rebuildBeforeYourEyes } from "./rebuild.ts";
import { Rush } from "./rush.ts";
import { DemoServer } from "./server/demo-server.ts";
import type { Screen } from "./view/screen.ts";

export interface DemoRun {
  readonly options: DemoOptions;
  readonly screen: Screen;
  /** Path of the program, as Node runs it. */
  readonly program: string;
  readonly signal: AbortSignal;
}

/** How long a student asks again before giving up: longer than a kill and the start after it. */
const studentPatienceMs = 60_000;
const connectionsMax = 1_000;
/** What follows the last hold's end: refunds, mostly. */
const quietAfterHoldsMs = 60_000;

/**
 * A registration day from begin to end, with a kill in the middle, a proof and a rebuild.
 *
 * @returns whether everything that is claimed holds.
 */
export async function runDemo(run: DemoRun): Promise<boolean> {
  const { options, screen, program, signal } = run;
  const beganMs = systemClock.monotonicMs();
  await using folder = await DemoFolder.open(options);
  await using server = new DemoServer({
    program,
    dataFolder: folder.data,
    outputFile: folder.output,
    port: options.port,
    options: serverOptions(options),
    clock: systemClock,
  });
  screen.say("Refold starts, with a database of its own ...");
  await server.start("/readyz");
  const modules = campusOf(options.modules, wishesOf(options.students));
  screen.say(openingText(run, modules));
  const tokens = await usingStores(folder.data, async (stores) => {
    await offer(stores.pool, modules, signal);
    return signedIn(run, { stores, server });
  });
  const { told, crowd } = await rush(run, { server, modules, tokens, data: folder.data });
  if (signal.aborted) throw new CommandFailure("interrupted", "The demo was stopped.");
  screen.say(latencyText(crowd));
  const claims = await usingStores(folder.data, async (stores) => {
    await quiet(run, stores);
    return prove(await gatherEvidence(stores, told));
  });
  const holds = tellProof(screen, claims, folder);
  await rebuildBeforeYourEyes({ program, data: folder.data, screen });
  const seconds = (systemClock.monotonicMs() - beganMs) / 1_000;
  screen.say(`\nThe whole day took ${seconds.toFixed(0)} s.`);
  return holds;
}

/** All students come from one address, so that it may sign in as often as they do. */
function serverOptions({ holdSeconds }: DemoOptions): readonly string[] {
  return ["--limit", `holdMs=${holdSeconds * 1_000}`, "--auth", "on", "--sign-ins", "100000"];
}

/** A hundred of them prove who they are with a password, as one does on the page. */
const signInsMax = 100;

async function signedIn(
  { options, screen }: DemoRun,
  { stores, server }: { readonly stores: Connected; readonly server: DemoServer },
): Promise<TokenBook> {
  const students = Array.from({ length: options.students }, (_, at) => studentName(at));
  const accounts = await makeAccounts(stores.pool, students, signInsMax);
  const { name, password } = accounts.operator;
  screen.say(`The page: ${server.url}/ (sign in as the user ${name}, password ${password})`);
  const beganMs = systemClock.monotonicMs();
  const tokens: TokenBook = new Map();
  using client = new HttpClient({ url: server.url, connectionsMax, timeoutMs: 20_000 });
  await signInByPassword(client, accounts.signingIn, tokens);
  await openSessions(stores, accounts.others, tokens);
  const seconds = (systemClock.monotonicMs() - beganMs) / 1_000;
  screen.say(
    `${accounts.signingIn.length} students signed in by password, and ` +
      `${accounts.others.length.toLocaleString("en")} sessions were opened, in ${seconds.toFixed(1)} s.\n`,
  );
  return tokens;
}

async function rush(
  { options, screen, signal }: DemoRun,
  at: {
    readonly server: DemoServer;
    readonly modules: readonly OfferedModule[];
    readonly data: string;
    readonly tokens: TokenBook;
  },
) {
  const { students, perSecond, seed } = options;
  const random = new SeededRandom(seed);
  const wishes = scheduleOf({ students, modules: at.modules, perSecond, random });
  using client = new HttpClient({ url: at.server.url, connectionsMax, timeoutMs: 20_000 });
  const clock = systemClock;
  const authorisation = (student: string) => ({
    authorization: `Bearer ${at.tokens.get(student) ?? ""}`,
  });
  const sender = new KeyedSender({ client, clock, random, patienceMs: studentPatienceMs });
  const crowd = new Crowd({ wishes, sender, clock, authorisation });
  const rushing = new Rush({ crowd, wishes, sender, screen, clock, ...at });
  await rushing.run(signal);
  return { crowd, told: crowd.told };
}

async function quiet({ options, screen, signal }: DemoRun, { pool }: Connected): Promise<void> {
  screen.say(`\nHolds end after ${options.holdSeconds} s; then it is quiet ...`);
  const patienceMs = options.holdSeconds * 1_000 + quietAfterHoldsMs;
  await untilQuiet({ pool, clock: systemClock, patienceMs, signal, tell: () => undefined });
}

async function usingStores<Result>(
  data: string,
  use: (stores: Connected) => Promise<Result>,
): Promise<Result> {
  await using stores = await connect("demo", { data });
  return await use(stores);
}

function openingText({ options }: DemoRun, modules: readonly OfferedModule[]): string {
  const seats = modules.reduce((sum, { capacity }) => sum + capacity, 0);
  const wishes = wishesOf(options.students).toLocaleString("en");
  return (
    `${options.students.toLocaleString("en")} students come with ${wishes} wishes for ` +
    `${seats.toLocaleString("en")} seats of ${modules.length} modules, ${options.perSecond} a ` +
    `second.`
  );
}

function latencyText({ latencies, calmLatencies }: Crowd): string {
  const of = (which: typeof latencies): string =>
    `p50 ${which.percentile(50).toFixed(0)} ms, p99 ${which.percentile(99).toFixed(0)} ms, ` +
    `most ${which.percentile(100).toFixed(0)} ms`;
  return (
    `\nAnswers, from when a wish was due: ${of(latencies)}, the kill included; ` +
    `while the server was up ${of(calmLatencies)} (${calmLatencies.count} of ${latencies.count}).`
  );
}

/** @returns whether all of it holds. */
function tellProof(screen: Screen, claims: readonly Claim[], folder: DemoFolder): boolean {
  screen.say("\nThe proof, from the log, the answers and the provider's books:");
  for (const claim of claims) screen.say(claimText(claim));
  const holds = claims.every(({ against }) => against.length === 0);
  if (holds) return true;
  folder.keepIt();
  screen.say(`\nSomething is wrong. The data folder stays for whoever looks: ${folder.data}`);
  return false;
}
