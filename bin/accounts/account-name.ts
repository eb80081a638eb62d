import type { AccountName } from "../../connectors/accounts/index.ts";
import { CommandFailure } from "../command-failure.ts";

const charactersMax = 200;

/** @throws CommandFailure `usage` for what can be no account's name. */
export function nameOf(text: string): string {
  const trimmed = text.trim();
  if (trimmed === text && text !== "" && text.length <= charactersMax && !/\p{Cc}/u.test(text)) {
    return text;
  }
  throw new CommandFailure(
    "usage",
    `A name has 1 to ${charactersMax} characters, none of them a control character, and no space ` +
      "at its ends.",
  );
}

export const unknownAccount = ({ kind, name }: AccountName): CommandFailure =>
  new CommandFailure(
    "nothingThere",
    kind === "user"
      ? `There is no user ${name} (see refold users list; a student's account takes --student).`
      : `There is no student ${name} in catalogue.students.`,
  );
