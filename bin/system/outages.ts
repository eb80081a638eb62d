import type { BackoffOptions } from "../../engine/backoff.ts";

/**
 * How long the parts of a process wait for a database that is away (restarted, out of disk): half a
 * day, with waits of up to two seconds, so that it goes on by itself within seconds of its return.
 * Meanwhile `/readyz` says how far each is behind. What can't pass still halts at once.
 */
export const outageBackoff: BackoffOptions = { initialMs: 50, maxMs: 2_000, attemptsMax: 43_200 };
