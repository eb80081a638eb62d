import { createRequire } from "node:module";

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

const { prototype } = createRequire(import.meta.url)("kafkajs/src/network/requestQueue") as {
  readonly prototype: RequestQueue;
};
const { scheduleCheckPendingRequests } = prototype;

/**
 * kafkajs 2.2.4 looks at each connection's waiting requests again and again, also where none waits:
 * then it sets a timer of negative delay, which Node takes for a millisecond and warns of. A request
 * that comes to wait makes it look by itself.
 */
prototype.scheduleCheckPendingRequests = function scheduleWhereSomeWait(this: RequestQueue): void {
  if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
};
