import type { GroupOffsetMirror } from "../../connectors/kafka/index.ts";
import type { BoardEntry, StatusBoard, TaskReport } from "../../engine/ports/status-board.ts";
import { isToldAsKept } from "../../engine/runner/live-consumer.ts";

/**
 * A board whose reports also move the offsets of Kafka's consumer groups, one group for each
 * projection and processor (`refold.<name>`), so that lag tools and autoscalers see how far they are.
 */
export class MirroredBoard implements StatusBoard {
  readonly #board: StatusBoard;
  readonly #mirror: Pick<GroupOffsetMirror, "flushed">;

  constructor(board: StatusBoard, mirror: Pick<GroupOffsetMirror, "flushed">) {
    this.#board = board;
    this.#mirror = mirror;
  }

  async report(instance: string, reports: readonly TaskReport[]): Promise<void> {
    for (const { kind, consumer, topic, partition, nextOffset } of reports) {
      // A group stands for what serves: a generation that is only kept has none.
      if (kind === "capture" || isToldAsKept(consumer)) continue;
      this.#mirror.flushed({ group: `refold.${consumer}`, topic, partition, nextOffset });
    }
    await this.#board.report(instance, reports);
  }

  read(): Promise<readonly BoardEntry[]> {
    return this.#board.read();
  }
}
