/** How busy this process is. Adapters: that of Node's event loop (bin); none (`noLoad`). */
export interface Load {
  /** The share of the last moments in which it was at work, 0 to 1. */
  busy(): number;
}

export const noLoad: Load = { busy: () => 0 };
