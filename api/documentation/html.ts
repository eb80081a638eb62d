/** Text that is HTML already: what `html` makes. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Piece = string | number | Html | readonly Html[];

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template whose values are escaped unless they are HTML themselves. */
export function html(fixed: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  const parts = fixed.map((text, index) => {
    const piece = pieces[index];
    return piece === undefined ? text : text + textOf(piece);
  });
  return new Html(parts.join(""));
}

function textOf(piece: Piece): string {
  if (piece instanceof Html) return piece.text;
  if (typeof piece === "string" || typeof piece === "number") return escaped(String(piece));
  return piece.map(({ text }) => text).join("");
}

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);

/** A description: words between backticks are code, line breaks stay. */
export function prose(text: string): Html {
  const parts = text.split("`").map((part, index) => {
    const inside = escaped(part);
    return index % 2 === 1 ? `<code>${inside}</code>` : inside;
  });
  return new Html(`<p class="prose">${parts.join("")}</p>`);
}
