/** Above so many UTF-16 units the runtime's own writer is faster than a loop. */
const loopUnitsMax = 48;

/**
 * Writes a text as UTF-8, and gives the bytes that it took. Keys and codes are short and ASCII: the
 * call into the runtime costs several times what their bytes do.
 *
 * @param buffer With room for three bytes of each UTF-16 unit.
 */
export function writeText(buffer: Buffer, text: string, at: number): number {
  const { length } = text;
  if (length > loopUnitsMax) return buffer.write(text, at, "utf8");
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return buffer.write(text, at, "utf8");
    buffer[at + index] = unit;
  }
  return length;
}
