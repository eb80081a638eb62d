import { onTestFinished } from "vitest";

/**
 * Begins work that goes on beside a test until what this gives back is called: that ends it, and
 * gives its result or what it failed with. A test that fails before ends it too, so that nothing
 * works on for a second try to meet, and nothing fails when no test is there to tell of it.
 */
export function beside<Result>(
  work: (ended: AbortSignal) => Promise<Result>,
): () => Promise<Result> {
  const ending = new AbortController();
  const done = work(ending.signal);
  done.catch(() => undefined);
  const end = (): Promise<Result> => {
    ending.abort();
    return done;
  };
  onTestFinished(async () => void (await end()));
  return end;
}
