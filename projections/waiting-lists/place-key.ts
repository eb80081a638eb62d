/**
 * The key of a student's place in the line of a module: `<module>/<student>`. Codes and ids may have
 * slashes of their own; they are escaped as in a JSON pointer (RFC 6901, section 3), so that no two
 * places share a key.
 */
export const placeKey = (moduleCode: string, studentId: string): string =>
  `${escaped(moduleCode)}/${escaped(studentId)}`;

/** What a key was made of. A text that is no key names a place that nobody has. */
export function placeOf(key: string): { readonly moduleCode: string; readonly studentId: string } {
  const [moduleCode = "", studentId = ""] = key.split("/", 2);
  return { moduleCode: plain(moduleCode), studentId: plain(studentId) };
}

const escaped = (id: string): string => id.replaceAll("~", "~0").replaceAll("/", "~1");
const plain = (part: string): string => part.replaceAll("~1", "/").replaceAll("~0", "~");
