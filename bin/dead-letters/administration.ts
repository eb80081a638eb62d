import type { LetterAdministration } from "../../api/dead-letters/administration.ts";
import { trialLettersMax } from "../../api/dead-letters/orders.ts";
import type { DeadLetters } from "../../engine/ports/dead-letters.ts";
import { type LetterTrialsOptions, tryRedrive } from "../../engine/runner/letter-trials.ts";
import { plain } from "../log/printable.ts";
import type { Definitions } from "../system/definitions.ts";
import { LetterEditor, type LetterEditorOptions } from "./editor.ts";

export interface LetterStores
  extends
    Pick<LetterEditorOptions, "registry">,
    Pick<LetterTrialsOptions, "codec" | "generations" | "processorStore"> {
  readonly deadLetters: DeadLetters;
  readonly readModelStore: LetterTrialsOptions["readModels"];
}

type LetterDefinitions = Pick<
  Definitions,
  "eventTopics" | "changeTopics" | "projections" | "processors"
>;

/** What HTTP and the command line ask about dead letters, on this code's definitions. */
export function letterAdministration(
  { readModelStore: readModels, ...stores }: LetterStores,
  { eventTopics, changeTopics, projections, processors }: LetterDefinitions,
): LetterAdministration {
  const { deadLetters, registry, codec } = stores;
  const editor = new LetterEditor({ registry, codec, topics: [...eventTopics, ...changeTopics] });
  return {
    deadLetters,
    encode: (letter, json, schema) => editor.encode(letter, json, schema),
    tryRedrive: (letters) =>
      tryRedrive({ ...stores, readModels, projections, processors }, letters, trialLettersMax),
    read: async (value) => {
      const payload = await editor.decode(value);
      if (payload.kind === "none") return {};
      if (payload.kind === "undecodable") return { fault: payload.reason };
      return { value: plain(payload.value) };
    },
  };
}
