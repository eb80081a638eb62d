/** A text or value that is no Avro schema. `path` is a JSON pointer into it. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super(`Invalid Avro schema at ${path === "" ? "/" : path}: ${message}`, options);
    this.path = path === "" ? "/" : path;
  }
}

/** No datum of the writer's schema can be read by the reader's. */
export class ResolutionError extends Error {
  override readonly name = "ResolutionError";
}

/** These bytes can't be read with these schemas. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** This value doesn't fit its schema. `path` names the place in the value. */
export class EncodeError extends Error {
  override readonly name = "EncodeError";
  readonly path: string;

  constructor(path: string, message: string) {
    super(`Can't encode ${path === "" ? "the value" : path}: ${message}`);
    this.path = path;
  }
}
