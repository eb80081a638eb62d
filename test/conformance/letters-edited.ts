import { expect, test } from "vitest";

import type { StoredDeadLetter } from "../../engine/ports/dead-letters.ts";
import { type DeadLettersSubject, settlement } from "./dead-letters.ts";
import { deadLetter, freshName } from "./store-samples.ts";

const edit = (text: string, by = "ann") => ({ value: Buffer.from(text), by, reason: "A typo." });

/** Values that operators put in place of records' own. */
export function lettersEdited(subject: () => DeadLettersSubject): void {
  async function written(disposition: "failed" | "waiting"): Promise<StoredDeadLetter> {
    const consumer = freshName();
    await subject().write([deadLetter(consumer, { disposition })]);
    const [letter] = await subject().deadLetters.list({ consumer, limit: 1 });
    if (letter === undefined) throw new Error("A letter was written.");
    return letter;
  }

  test("an edited letter keeps the original, and every edit with who made it and why", async () => {
    const { deadLetters } = subject();
    const letter = await written("failed");
    expect(await deadLetters.edit(letter.id, edit("one"))).toBe("edited");
    expect(await deadLetters.edit(letter.id, edit("two", "bob"))).toBe("edited");
    const at = expect.any(Date) as Date;
    expect(await deadLetters.find(letter.id)).toEqual({
      ...letter,
      edit: { ...edit("two", "bob"), at },
    });
    const act = { act: "edit", at, order: undefined };
    expect(await deadLetters.acts(letter.id, 9)).toEqual([
      { ...act, ...edit("one") },
      { ...act, ...edit("two", "bob") },
    ]);
    const { consumer } = letter;
    expect(await deadLetters.list({ consumer, edited: true, limit: 9 })).toHaveLength(1);
  });

  test("only a failed letter that nobody is about to redrive is edited", async () => {
    const { deadLetters, settle } = subject();
    expect(await deadLetters.edit(2n ** 60n, edit("one"))).toBe("unknown");
    expect(await deadLetters.edit((await written("waiting")).id, edit("one"))).toBe("waiting");
    const letter = await written("failed");
    const order = { action: "redrive", by: "ann", reason: undefined } as const;
    await deadLetters.order({ letters: { id: letter.id }, ...order });
    expect(await deadLetters.edit(letter.id, edit("one"))).toBe("asked");
    await settle([settlement({ ...letter, asks: 1 }, { disposition: "redriven" })]);
    expect(await deadLetters.edit(letter.id, edit("one"))).toBe("settled");
    expect(await deadLetters.find(letter.id)).toMatchObject({ edit: undefined });
  });
}
