import { get } from "node:http";

import { decodePositionToken } from "../engine/position-token.ts";
import type { Arrivals } from "./_arrivals.ts";

/**
 * Listens to the event stream of all modules: each update says how far its module has come in its
 * lane. Resolves with the first one that came, to what ends it.
 */
export function followUpdates(httpUrl: string, arrivals: Arrivals): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const request = get(`${httpUrl}/registration-updates`, { agent: false }, (response) => {
      let received = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        const frames = `${received}${text}`.split("\n\n");
        received = frames.pop() ?? "";
        for (const frame of frames) take(frame, arrivals);
        resolve(() => void request.destroy());
      });
    });
    request.on("error", reject);
  });
}

function take(frame: string, arrivals: Arrivals): void {
  const data = /^data: (.*)$/m.exec(frame)?.[1];
  if (data === undefined || !frame.includes("event: SeatAvailableChanged")) return;
  const event = JSON.parse(data) as { moduleCode: string; sourcePosition: string };
  arrivals.reach(event.moduleCode, lastSequence(event.sourcePosition), Date.now());
}

/** The sequence of a token, which names one lane of events. */
export const lastSequence = (token: string): bigint =>
  decodePositionToken(token).lanes.reduce(
    (most, { sequence }) => (sequence > most ? sequence : most),
    0n,
  );
