import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";

import { ProblemError } from "./problem.ts";

const faultsMax = 8;

/**
 * Checks requests by compiled schemas. A query's text is converted to what its schema asks for
 * (`limit=20`), with its defaults; a body is taken as it is.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  const part = httpPart ?? "request";
  return (data: unknown) => {
    const value = part === "querystring" ? fromText(schema, data) : data;
    if (validator.Check(value)) return { value };
    const faults = validator
      .Errors(value)
      // Told of each member instead.
      .filter(({ keyword }) => keyword !== "additionalProperties")
      .slice(0, faultsMax)
      .map((error) => ({ at: `${part}${error.instancePath}`, fault: faultIn(error) }));
    return { error: invalid(part, faults) };
  };
};

/** A member that isn't known has a schema that nothing fits. */
const faultIn = ({ keyword, message }: { keyword: string; message: string }): string =>
  keyword === "boolean" ? "is not known here" : message;

const fromText = (schema: TSchema, query: unknown): unknown =>
  Value.Convert(schema, Value.Default(schema, query));

function invalid(part: string, faults: readonly { at: string; fault: string }[]): ProblemError {
  const [first] = faults;
  const detail = first === undefined ? `${part} is not valid` : `${first.at} ${first.fault}`;
  return new ProblemError({
    status: 400,
    code: "validation",
    detail: `${detail}.`,
    more: { errors: faults },
  });
}
