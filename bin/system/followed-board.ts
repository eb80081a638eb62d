import type { FollowedPartitionHealth } from "../../connectors/redis/index.ts";
import type {
  BoardEntry,
  FollowingReport,
  StatusBoard,
  TaskReport,
} from "../../engine/ports/status-board.ts";

/** A board whose reports also say how Redis is brought what was committed here. */
export class FollowedBoard implements StatusBoard {
  readonly #board: StatusBoard;
  readonly #following: () => readonly FollowedPartitionHealth[];

  constructor(board: StatusBoard, following: () => readonly FollowedPartitionHealth[]) {
    this.#board = board;
    this.#following = following;
  }

  async report(instance: string, reports: readonly TaskReport[]): Promise<void> {
    const followed = new Map(this.#following().map((one) => [keyOf(one), one]));
    const told = reports.map((report) => {
      const { consumer: projection, generation, partition, kind } = report;
      if (kind !== "projection" || generation === undefined) return report;
      const found = followed.get(keyOf({ projection, generation, partition }));
      return found === undefined ? report : { ...report, following: followingOf(found) };
    });
    await this.#board.report(instance, told);
  }

  read(): Promise<readonly BoardEntry[]> {
    return this.#board.read();
  }
}

type Place = Pick<FollowedPartitionHealth, "projection" | "generation" | "partition">;

const keyOf = ({ projection, generation, partition }: Place): string =>
  `${projection} ${generation} ${partition}`;

function followingOf({ rowsWaiting, state, reason }: FollowedPartitionHealth): FollowingReport {
  const joining = "it is being compared with Postgres, and filled where it differs";
  return { rowsWaiting, reason: reason ?? (state === "following" ? undefined : joining) };
}
