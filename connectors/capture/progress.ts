import type { Lsn } from "../../engine/position.ts";

/** How far a capture is, over all its connections. */
export class Progress {
  /** Every change that the server wrote before it is published; 0: nothing is known yet. */
  coveredLsn = 0;
  /** Where the last published transaction's commit ends; undefined before the first. */
  lastPublishedLsn: Lsn | undefined;
  /** Records published since the capture began. */
  recordsPublished = 0;
  /** Publishes that succeeded. */
  publishes = 0;

  published(commitLsn: Lsn, records: number): void {
    this.lastPublishedLsn = commitLsn;
    this.recordsPublished += records;
    this.publishes += 1;
  }

  covered(lsn: number): void {
    this.coveredLsn = Math.max(this.coveredLsn, lsn);
  }
}
