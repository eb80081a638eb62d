import { InvariantViolation } from "./errors.ts";
import type { OnceMark } from "./ports/alongside.ts";

/**
 * The answer of a mark as the JSON text that is kept; what JSON has no word for is null.
 *
 * @throws InvariantViolation for what can't be written as JSON: a bigint, or a circle.
 */
export function answerText({ scope, key, answer }: OnceMark): string {
  try {
    const text = JSON.stringify(answer) as string | undefined;
    return text ?? "null";
  } catch (error) {
    throw new InvariantViolation(
      `The answer under the key "${key}" of ${scope} is no JSON value: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}
