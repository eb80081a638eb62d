/**
 * Positions in the write-ahead log. Inside this folder they are plain numbers (exact below 2^53,
 * eight pebibytes of WAL); `Lsn` of the ports is a bigint.
 */
export function parseLsn(text: string): number {
  const [high = "", low = ""] = text.split("/");
  return Number.parseInt(high, 16) * 4_294_967_296 + Number.parseInt(low, 16);
}

/** As Postgres writes it: `16/B374D848`. */
export function formatLsn(value: number): string {
  const high = Math.floor(value / 4_294_967_296);
  return `${high.toString(16)}/${(value - high * 4_294_967_296).toString(16)}`.toUpperCase();
}

/** Reads the 64 bits at `at`, big-endian. */
export function readLsn(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 4_294_967_296 + bytes.readUInt32BE(at + 4);
}

export function writeLsn(bytes: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 4_294_967_296);
  bytes.writeUInt32BE(high, at);
  bytes.writeUInt32BE(value - high * 4_294_967_296, at + 4);
}
