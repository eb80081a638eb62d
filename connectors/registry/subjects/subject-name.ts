import type { SubjectName, SubjectSelection } from "../../../engine/ports/registry-store.ts";
import { refusals } from "./refusals.ts";

export const defaultContext = ".";

/** The name under which the global settings are kept. */
export const everySubject: SubjectName = { context: defaultContext, subject: "" };

const everyContext = ":*:";

/** Names that Confluent keeps for itself. */
const reserved = new Set(["__GLOBAL", "__EMPTY"]);

const longestName = 1_000;

/** `:.context:subject`, or a subject of the default context. */
export function subjectName(qualified: string): SubjectName {
  if (!qualified.startsWith(":.")) return { context: defaultContext, subject: qualified };
  const end = qualified.indexOf(":", 1);
  return end < 0
    ? { context: qualified.slice(1), subject: "" }
    : { context: qualified.slice(1, end), subject: qualified.slice(end + 1) };
}

/** As clients see it. */
export function qualified({ context, subject }: SubjectName): string {
  return context === defaultContext ? subject : `:${context}:${subject}`;
}

/** What one refers to by this name is in the referring subject's context, unless it says another. */
export function besides(subject: string, referrer: SubjectName): SubjectName {
  const named = subjectName(subject);
  return subject.startsWith(":.") ? named : { ...named, context: referrer.context };
}

export function selectionOf(prefix: string): SubjectSelection {
  if (prefix.startsWith(everyContext)) return { prefix: prefix.slice(everyContext.length) };
  const { context, subject } = subjectName(prefix);
  return { context, prefix: subject };
}

/** @throws RegistryRefusal 42208 */
export function writableName(text: string, of: "subject" | "setting"): SubjectName {
  const name = subjectName(text);
  const fit =
    name.subject === "" ? of === "setting" && name.context !== defaultContext : isFit(name.subject);
  if (!fit || !isFit(name.context)) throw refusals.subjectInvalid(text);
  return name;
}

function isFit(name: string): boolean {
  return name.length <= longestName && !Array.from(name).some(isControl) && !reserved.has(name);
}

/** As Java's Character.isISOControl has it, and U+FFFD, which stands for what was no UTF-8. */
function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0xfffd;
}
