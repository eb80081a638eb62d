import { ProblemError } from "../problem.ts";
import { EditFault } from "./edit-fault.ts";

/** Says why a value was not taken, with the place in it. */
export function editProblem(error: unknown): never {
  if (!(error instanceof EditFault)) throw error;
  const { kind, path, message: detail } = error;
  if (kind === "schema") {
    throw new ProblemError(
      { status: 422, code: "letter-schema-unknown", detail },
      { cause: error },
    );
  }
  const at = path === undefined ? "/value" : `/value${path === "" ? "" : `/${path}`}`;
  throw new ProblemError(
    {
      status: 422,
      code: "letter-value-invalid",
      detail,
      more: { errors: [{ at, fault: detail }] },
    },
    { cause: error },
  );
}
