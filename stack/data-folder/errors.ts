/**
 * Why a data folder can't be used.
 *
 * - `in-use`: another process holds it. - `broken`: what lies there is not a data folder of ours,
 * or can't be read or written. - `missing`: there is none, and the caller makes none.
 */
export type DataFolderFault = "in-use" | "broken" | "missing";

export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
  readonly fault: DataFolderFault;

  constructor(fault: DataFolderFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
