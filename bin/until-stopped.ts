/**
 * Until somebody wants the process to stop.
 *
 * @param failures Resolve with what the process can't go on after; most never do.
 * @throws The first of them.
 */
export async function untilStopped(
  signal: AbortSignal,
  failures: readonly Promise<Error>[],
): Promise<void> {
  // Without a socket or timer of its own nothing else would keep the process alive.
  const alive = setInterval(() => undefined, 60_000);
  const wish = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  try {
    const failure = await Promise.race([wish, ...failures]);
    if (failure !== undefined) throw failure;
  } finally {
    clearInterval(alive);
  }
}
