import { readFile } from "node:fs/promises";

import type { SentRecord } from "../decode.ts";

/**
 * Reads what the recording interceptor wrote: a line for each record with topic, key, value and
 * headers between tabs, in base64, `-` for null.
 */
export async function readRecordingLines(path: string): Promise<SentRecord[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  // The last line may still be being written.
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map(parseLine);
}

function parseLine(line: string): SentRecord {
  const [topic = "", key = "-", value = "-", headers = ""] = line.split("\t");
  return {
    topic: Buffer.from(topic, "base64").toString("utf8"),
    key: bytesOf(key),
    value: bytesOf(value),
    headers: headers.split(",").filter(Boolean).map(parseHeader),
  };
}

function parseHeader(text: string): [string, Buffer | null] {
  const [name = "", value = "-"] = text.split(":");
  return [Buffer.from(name, "base64").toString("utf8"), bytesOf(value)];
}

function bytesOf(text: string): Buffer | null {
  return text === "-" ? null : Buffer.from(text, "base64");
}
