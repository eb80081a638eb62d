import { onTestFinished } from "vitest";

import { RefoldProcess } from "./refold-process.ts";

export interface Instance {
  readonly process: RefoldProcess;
  readonly http: string;
  readonly database: string;
}

/** Starts everything on a folder and a free port; it is stopped when the test ends. */
export async function startInstance(
  folder: string,
  options: readonly string[] = [],
): Promise<Instance> {
  const started = new RefoldProcess(["start", "--data", folder, "--port", "0", ...options]);
  onTestFinished(() => stopInstance(started));
  const [, http = ""] = await started.printed(/listens on (http:\S+)/);
  const [, database = ""] = await started.printed(/database {2}(postgresql:\S+)/);
  return { process: started, http, database };
}

async function stopInstance(started: RefoldProcess): Promise<void> {
  if (started.isRunning) started.child.kill("SIGTERM");
  await started.ended;
}

/** An answer as the tests look at it. */
export interface Got {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** `Refold-Position`, to wait for with a query. */
  readonly position: string | null;
}

export async function ask(url: string, init?: RequestInit): Promise<Got> {
  const response = await fetch(url, init);
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body, position: response.headers.get("refold-position") };
}

export const register = (base: string, moduleCode: string, studentId: string): Promise<Got> =>
  ask(`${base}/registrations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ moduleCode, studentId }),
  });

export const availability = (base: string, code: string, waitFor?: string | null): Promise<Got> =>
  ask(`${base}/modules/${code}/availability`, {
    headers: waitFor ? { "refold-wait-for": waitFor } : {},
  });
