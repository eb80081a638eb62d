import { CommandFailure } from "../command-failure.ts";
import type { PlaceOptions } from "../environment.ts";
import { connect, type Connected } from "../system/connect.ts";
import { application } from "../system/definitions.ts";
import type { Stores } from "../system/stores.ts";
import { slotsOf } from "../system/slots.ts";
import { gatherStatus } from "./gather.ts";
import { statusReport, type StatusReport } from "./report.ts";

/**
 * Looks at the status over connections that are kept between two looks, and made anew after one
 * that failed: the data folder's server has another port when it has started again.
 */
export class ReopenedLooks implements AsyncDisposable {
  readonly #options: PlaceOptions;
  #connected: Connected | undefined;

  constructor(options: PlaceOptions) {
    this.#options = options;
  }

  /**
   * @throws CommandFailure where nothing runs on the data folder: this command then holds it, and as
   * long as it went on, nothing could be started.
   */
  async assertShared(): Promise<void> {
    const { others } = await this.#open();
    if (others === "possible") return;
    throw new CommandFailure(
      "usage",
      "Nothing runs on the data folder, and a watch would keep it from being started. Start it " +
        "with refold start, or look once, without --watch.",
    );
  }

  async look(): Promise<StatusReport> {
    const stores = await this.#open();
    try {
      return await readStatus(stores);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #open(): Promise<Connected> {
    this.#connected ??= await connect("status", this.#options);
    return this.#connected;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    await connected?.[Symbol.asyncDispose]();
  }
}

/** Reads where everything stands. `without Redis`: as if there were none. */
export async function readStatus(
  stores: Stores,
  redis: "with Redis" | "without Redis" = "with Redis",
): Promise<StatusReport> {
  const { projections, processors, slotName } = application;
  // Of Debezium's slots the events': what commands record goes through it.
  const [slot = slotName] = slotsOf(stores.servers, application);
  const { redisTls } = stores.servers;
  const redisUrl = redis === "with Redis" ? stores.servers.redisUrl : undefined;
  const consumers = { projections, processors, slot };
  const facts = await gatherStatus({ ...stores, ...consumers, redisUrl, redisTls });
  return statusReport(facts);
}
