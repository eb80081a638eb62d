import { createHash } from "node:crypto";

/** A Lua script, known to the server by its digest. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export interface ScriptCall {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

export const script = (text: string): Script => ({
  text,
  sha1: createHash("sha1").update(text).digest("hex"),
});
