import { statfs } from "node:fs/promises";

const defaults: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  wal_level: "logical",
  max_connections: "60",
  max_wal_senders: "10",
  max_replication_slots: "10",
  shared_buffers: "256MB",
  checkpoint_timeout: "10min",
  password_encryption: "scram-sha-256",
  timezone: "UTC",
  jit: "off",
  autovacuum_naptime: "10s",
  log_min_messages: "warning",
  // 0 keeps the WAL of a lagging slot for ever; a bound would trade the promise for disk space.
  max_slot_wal_keep_size: "-1",
};

const MiB = 1024 * 1024;

/** A checkpoint is due when the WAL has so much of the file system, at most `max_wal_size`. */
const walShare = 1 / 8;
const walSizeMinBytes = 64 * MiB;
const walSizeMaxBytes = 2048 * MiB;

/** The settings of a server on a folder: a small file system gets a small write-ahead log. */
export async function settingsFor(
  folder: string,
  given: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, string>>> {
  const { blocks, bsize } = await statfs(folder);
  const share = Math.floor(blocks * bsize * walShare);
  const walBytes = Math.min(walSizeMaxBytes, Math.max(walSizeMinBytes, share));
  // Segments are kept for use again only where there is plenty of room.
  const least = walBytes === walSizeMaxBytes ? {} : { min_wal_size: "32MB" };
  const wal = { max_wal_size: `${Math.floor(walBytes / MiB)}MB`, ...least };
  return { ...defaults, ...wal, ...given };
}
