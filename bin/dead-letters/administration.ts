import type { LetterAdministration } from "../../api/dead-letters/administration.ts";
import type { DeadLetters } from "../../engine/ports/dead-letters.ts";
import { plain } from "../log/printable.ts";
import type { Definitions } from "../system/definitions.ts";
import { LetterEditor, type LetterEditorOptions } from "./editor.ts";

export interface LetterStores extends Pick<LetterEditorOptions, "registry" | "codec"> {
  readonly deadLetters: DeadLetters;
}

/** What HTTP and the command line ask about dead letters, on this code's definitions. */
export function letterAdministration(
  { deadLetters, registry, codec }: LetterStores,
  { eventTopics, changeTopics }: Pick<Definitions, "eventTopics" | "changeTopics">,
): LetterAdministration {
  const editor = new LetterEditor({ registry, codec, topics: [...eventTopics, ...changeTopics] });
  return {
    deadLetters,
    encode: (letter, json, schema) => editor.encode(letter, json, schema),
    read: async (value) => {
      const payload = await editor.decode(value);
      if (payload.kind === "none") return {};
      if (payload.kind === "undecodable") return { fault: payload.reason };
      return { value: plain(payload.value) };
    },
  };
}
