/** Where a record comes from, for the events and notices that it leads to. */
export interface SourceOrigin {
  /** The source event's id, or its place in the log where it has none. */
  readonly id: string;
  readonly correlationId: string;
  readonly traceparent: string | undefined;
}
