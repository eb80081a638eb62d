import { samePosition } from "../../../engine/fencing.ts";
import type { Epoch, Position } from "../../../engine/position.ts";
import type { StandingPartition } from "../../../engine/ports/read-model-snapshots.ts";
import type {
  Advance,
  DigestDelta,
  OwnedPartition,
  RowMutation,
} from "../../../engine/ports/read-model-store.ts";
import type { PartitionFlush } from "../flush-call.ts";
import { positionText } from "../position-text.ts";

/**
 * - `waiting`: Redis isn't known to stand where the store does: it is to be compared, and filled.
 * - `joining`: that is being done; what is committed meanwhile waits.
 * - `following`: what is committed is written, in order.
 */
export type FollowedState = "waiting" | "joining" | "following";

/** Rows of one call, about: the commits of one partition that wait are written together. */
const chunkRows = 1_000;

/** Commits that are written as one. */
export interface Chunk {
  readonly commits: number;
  readonly flush: PartitionFlush;
}

/** One partition that this process owns in the store that commits first. */
export class FollowedPartition {
  readonly partition: number;
  state: FollowedState = "waiting";
  rowsWaiting = 0;
  /** Redis is filled anew, even where it stands as it should. */
  doubted = false;
  readonly #primary = new Map<string, Epoch>();
  /** As claimed in Redis, by topic; the position is where Redis stands. */
  #owned = new Map<string, OwnedPartition>();
  #commits: PartitionFlush[] = [];
  /** What was sent and not answered: it may have been written. */
  #sent: Chunk | undefined;
  #again = false;

  constructor(partition: number) {
    this.partition = partition;
  }

  get idle(): boolean {
    return this.#commits.length === 0;
  }

  /** Is it unknown whether the last chunk was written? */
  get unsure(): boolean {
    return this.#sent !== undefined;
  }

  /** The store has given this topic's partition under a new epoch. */
  claimed({ topic, epoch }: OwnedPartition): void {
    this.#primary.set(topic, epoch);
    this.rejoin();
  }

  /** Is it still this process's, as the store has it? */
  isOurs(standing: readonly StandingPartition[]): boolean {
    return standing.every(
      ({ topic, epoch }) => !this.#primary.has(topic) || this.#primary.get(topic) === epoch,
    );
  }

  /** What Redis has can't be trusted any more. */
  rejoin(): void {
    this.#commits = [];
    this.#sent = undefined;
    this.rowsWaiting = 0;
    if (this.state === "joining") this.#again = true;
    else this.state = "waiting";
  }

  /** Rows were mended beside the records: Redis may never have had what was wrong with them. */
  mended(): void {
    this.rejoin();
    this.doubted = true;
  }

  /** A commit of the store; while it waits to be joined, the snapshot will have it. */
  committed(commit: PartitionFlush): void {
    if (this.state === "waiting" || this.#again) return;
    this.#commits.push(commit);
    this.rowsWaiting += commit.rows.length;
  }

  joining(): void {
    this.state = "joining";
    this.#again = false;
  }

  /** Redis stands where the snapshot does. Commits that the snapshot has are dropped. */
  joined(owned: readonly OwnedPartition[], standing: readonly StandingPartition[]): void {
    this.#owned = new Map(
      owned.map((of) => {
        const position = standing.find(({ topic }) => topic === of.topic)?.position;
        return [of.topic, { ...of, position }];
      }),
    );
    while (this.#commits[0] && this.#isPast(this.#commits[0])) this.#drop(1);
    this.state = this.#again ? "waiting" : "following";
    if (!this.#again) this.doubted = false;
    this.#again = false;
  }

  /** It couldn't be joined now. */
  notJoined(): void {
    this.rejoin();
    this.state = "waiting";
    this.#again = false;
  }

  /**
   * The commits that are written next, as one: absolute rows, so that the last of each key counts.
   * A prefix of what waits, with all the rows that it touches.
   * @returns `gap` when commits are missing before one of them.
   */
  chunk(): Chunk | "gap" {
    const rows = new Map<string, RowMutation>();
    const digests: DigestDelta[] = [];
    const advances = new Map<string, Advance>();
    let commits = 0;
    for (const commit of this.#commits) {
      if (commits > 0 && rows.size + commit.rows.length > chunkRows) break;
      for (const advance of commit.advances) {
        const { topic, from } = advance;
        const before = advances.get(topic);
        const owned = this.#owned.get(topic);
        if (!owned || !samePosition(before ? before.to : owned.position, from)) return "gap";
        advances.set(topic, joinedAdvance(before, { ...advance, epoch: owned.epoch }));
      }
      for (const row of commit.rows) rows.set(row.key, lastOf(rows.get(row.key), row));
      digests.push(...commit.digests);
      commits += 1;
    }
    const { partition } = this;
    const flush = {
      partition,
      advances: [...advances.values()],
      rows: [...rows.values()],
      digests,
    };
    this.#sent = { commits, flush };
    return this.#sent;
  }

  /** The chunk that was sent last is written. */
  written({ commits, flush }: Chunk): void {
    this.#sent = undefined;
    this.#drop(commits);
    this.#owned = after(this.#owned, flush.advances);
  }

  /** Fields that tell where Redis stands, in the order of `stands`. */
  get fields(): string[] {
    return ["whole", ...[...this.#owned.keys()].flatMap((of) => [`epoch:${of}`, `at:${of}`])];
  }

  /** Redis says where it stands: as expected, or with what was sent, or it has lost something. */
  stands(held: readonly (string | null)[]): void {
    const text = held.map((field) => field ?? "").join("\n");
    const sent = this.#sent;
    if (text === textOf(this.#owned)) this.#sent = undefined;
    else if (sent && text === textOf(after(this.#owned, sent.flush.advances))) this.written(sent);
    else this.rejoin();
  }

  #drop(commits: number): void {
    for (const { rows } of this.#commits.splice(0, commits)) this.rowsWaiting -= rows.length;
  }

  #isPast({ advances }: PartitionFlush): boolean {
    return advances.every(({ topic, to }) => {
      const at: Position | undefined = this.#owned.get(topic)?.position;
      return at !== undefined && at.nextOffset >= to.nextOffset;
    });
  }
}

/** A row made by the first of two commits is new to Redis, whatever the second says. */
function lastOf(before: RowMutation | undefined, row: RowMutation): RowMutation {
  if (before === undefined || before.isUpdate === row.isUpdate) return row;
  return { ...row, isUpdate: false };
}

function joinedAdvance(before: Advance | undefined, next: Advance): Advance {
  if (before === undefined) return next;
  return {
    ...next,
    from: before.from,
    records: before.records + next.records,
    lastRecordedAtMs: next.lastRecordedAtMs ?? before.lastRecordedAtMs,
  };
}

type Owned = ReadonlyMap<string, OwnedPartition>;

function after(owned: Owned, advances: readonly Advance[]): Map<string, OwnedPartition> {
  const moved = new Map(owned);
  for (const { topic, to } of advances) {
    const of = moved.get(topic);
    if (of) moved.set(topic, { ...of, position: to });
  }
  return moved;
}

const textOf = (owned: Owned): string =>
  ["1", ...[...owned.values()].flatMap((of) => [String(of.epoch), positionText(of.position)])].join(
    "\n",
  );
