import { WakeUps } from "../effects/wake-ups.ts";
import { ModelCache } from "./model-cache.ts";

/** What all deciders of a process have in common that decide on one store. */
export interface SharedByDeciders {
  /** Told of effects and deadlines as they become durable. */
  readonly wakeUps: WakeUps;
  /**
   * The folded models that are kept: what one of them has recorded or read, the others needn't read
   * again, nor meet as a conflict.
   */
  readonly models: ModelCache;
}

/** For one process: nothing is known yet, and nobody listens. */
export const sharedByDeciders = (): SharedByDeciders => ({
  wakeUps: new WakeUps(),
  models: new ModelCache(),
});
