/** Where a process without an API serves its health and metrics. */
export interface ProbesPlace {
  readonly host: string;
  /** 0 takes any free one; undefined the first free one from `probesPortFirst` on. */
  readonly port: number | undefined;
}

/** The port at which exporters of metrics are usually looked for. */
export const probesPortFirst = 9_464;
