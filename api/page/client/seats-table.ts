import { duration, money, plural, time, unknown } from "./format.ts";
import { html, render, svg, type TemplateResult } from "./lit-html.js";
import type { Own } from "./registrations.ts";
import type { Module, ModuleSeats, SeatBoard, Seats } from "./seat-board.ts";

/** What the table needs to know of whoever looks at it. */
export interface Viewer {
  /** undefined: nobody who could register. */
  readonly student: string | undefined;
  readonly activeIn: (code: string) => Own | undefined;
  readonly isBusy: (code: string) => boolean;
  readonly register: (module: Module, how: "seat" | "line") => void;
}

export interface Filter {
  readonly text: string;
  readonly freeOnly: boolean;
}

/** How long a change stays marked. */
const markedMs = 2_500;

/**
 * A row for each module. Each row is drawn by itself, and only when something in it has changed: the
 * row, its focus and whoever reads it stay where they are.
 */
export class SeatsTable {
  readonly #body: HTMLElement;
  readonly #board: SeatBoard;
  readonly #rows = new Map<string, HTMLTableRowElement>();
  /** Until when, the earliest first. */
  readonly #marked = new Map<HTMLTableRowElement, number>();
  #filter: Filter = { text: "", freeOnly: false };

  constructor(body: HTMLElement, board: SeatBoard) {
    this.#body = body;
    this.#board = board;
  }

  get rows(): number {
    return this.#rows.size;
  }

  filter(filter: Filter): void {
    this.#filter = filter;
    for (const [code, row] of this.#rows) this.#show(row, this.#board.get(code));
  }

  get shown(): number {
    return [...this.#rows.values()].filter((row) => !row.hidden).length;
  }

  draw(codes: Iterable<string>, viewer: Viewer): void {
    // An empty column takes room that a phone hasn't got.
    this.#body.closest("table")?.classList.toggle("has-actions", viewer.student !== undefined);
    this.#unmark();
    for (const code of codes) {
      const known = this.#board.get(code);
      if (known === undefined) this.#remove(code);
      else this.#drawRow(known, viewer);
    }
  }

  #drawRow(known: ModuleSeats, viewer: Viewer): void {
    const { moduleCode } = known.module;
    const row = this.#rows.get(moduleCode) ?? this.#insert(moduleCode);
    render(cells(known, viewer), row);
    const isMarked = known.changed !== undefined && Date.now() - known.changed.atMs < markedMs;
    if (isMarked) this.#mark(row, known.changed.by);
    this.#show(row, known);
  }

  #mark(row: HTMLTableRowElement, by: number): void {
    row.dataset["changed"] = by < 0 ? "fewer" : "more";
    this.#marked.delete(row);
    this.#marked.set(row, Date.now() + markedMs);
  }

  /** Takes marks away that have stood for their time. */
  #unmark(): void {
    const nowMs = Date.now();
    for (const [row, untilMs] of this.#marked) {
      // Marked anew, it goes to the map's end: what follows is younger.
      if (untilMs > nowMs) return;
      delete row.dataset["changed"];
      this.#marked.delete(row);
    }
  }

  #show(row: HTMLTableRowElement, known: ModuleSeats | undefined): void {
    const { text, freeOnly } = this.#filter;
    const { module, seats } = known ?? {};
    const wanted = text.trim().toLocaleLowerCase();
    const name = `${module?.moduleCode} ${module?.title}`.toLocaleLowerCase();
    // Whoever is at a row keeps it, although its last seat goes meanwhile.
    const isUsed = row.contains(document.activeElement);
    const fits = name.includes(wanted) && (!freeOnly || (seats?.available ?? 1) > 0);
    row.hidden = !fits && !isUsed;
  }

  #insert(code: string): HTMLTableRowElement {
    const row = document.createElement("tr");
    row.dataset["module"] = code;
    // A phone lays rows out in lines of their own, which takes their meaning from them otherwise.
    row.setAttribute("role", "row");
    const next = [...this.#rows.keys()].filter((other) => other > code).sort()[0];
    this.#body.insertBefore(row, next === undefined ? null : (this.#rows.get(next) ?? null));
    this.#rows.set(code, row);
    return row;
  }

  #remove(code: string): void {
    this.#rows.get(code)?.remove();
    this.#rows.delete(code);
  }
}

function cells({ module, seats, changed }: ModuleSeats, viewer: Viewer): TemplateResult {
  const { moduleCode, title, feeCents } = module;
  return html`
    <th scope="row" role="rowheader">
      <span class="code">${moduleCode}</span>
      <span class="title">${title}</span>
      <span class="quiet fee">${feeCents === 0 ? "no fee" : `fee ${money(feeCents)}`}</span>
    </th>
    <td class="free" role="cell">${seats === undefined ? unknown : seatsCell(seats, changed)}</td>
    <td class="act" role="cell">${action({ module, seats, viewer })}</td>
  `;
}

function seatsCell(seats: Seats, changed: ModuleSeats["changed"]): TemplateResult {
  const { available, capacity, held, confirmed } = seats;
  const by = changed?.by ?? 0;
  return html`
    <span class="number">
      <strong>${available}</strong> of ${capacity}
      <span class="delta" aria-hidden="true">${by < 0 ? `▼ ${-by}` : `▲ ${by}`}</span>
    </span>
    ${bar(seats)}
    <span class="quiet detail">
      ${available === 0 ? "full · " : ""}${confirmed} taken${held > 0 ? ` · ${held} held` : ""}
    </span>
  `;
}

/** Drawn with attributes: a style in the page would need the content policy to be weaker. */
function bar({ capacity, held, confirmed }: Seats): TemplateResult {
  const all = Math.max(1, capacity, held + confirmed);
  const percent = (n: number) => `${((100 * n) / all).toFixed(2)}%`;
  return html`<svg class="seat-bar" aria-hidden="true" focusable="false">
    ${svg`<rect class="track" width="100%" height="100%" />
      <rect class="confirmed" width=${percent(confirmed)} height="100%" />
      <rect class="held" x=${percent(confirmed)} width=${percent(held)} height="100%" />`}
  </svg>`;
}

interface Action {
  readonly module: Module;
  readonly seats: Seats | undefined;
  readonly viewer: Viewer;
}

function action({ module, seats, viewer }: Action): TemplateResult | string {
  const { moduleCode } = module;
  if (viewer.student === undefined) return "";
  const own = viewer.activeIn(moduleCode);
  if (own !== undefined)
    return html`<span class="badge">${ownText[own.status] ?? own.status}</span>`;
  const closed = closedText(module);
  if (closed !== undefined) return html`<span class="quiet">${closed}</span>`;
  const isFull = seats?.available === 0;
  const how = isFull ? "line" : "seat";
  // A button that is at work stays where the focus is; it only does nothing more.
  return html`<button
    type="button"
    class=${isFull ? "second" : "first"}
    aria-disabled=${viewer.isBusy(moduleCode) ? "true" : "false"}
    aria-label=${`${isFull ? "Wait" : "Register"} for ${moduleCode}, ${module.title}`}
    @click=${() => viewer.register(module, how)}
  >
    ${isFull ? "Wait" : "Register"}
  </button>`;
}

const ownText: Readonly<Record<string, string>> = {
  waiting: "In line",
  offered: "Seat offered",
  held: "Seat held",
  completed: "Registered",
};

function closedText({ opensAt, closesAt }: Module): string | undefined {
  const nowMs = Date.now();
  if (opensAt !== null && Date.parse(opensAt) > nowMs) {
    const leftMs = Date.parse(opensAt) - nowMs;
    return leftMs < 3_600_000 ? `opens in ${duration(leftMs)}` : `opens ${time(opensAt)}`;
  }
  if (closesAt !== null && Date.parse(closesAt) <= nowMs) return "closed";
  return undefined;
}

/** One line above the table. */
export function seatsSummary(board: SeatBoard): string {
  const all = board.codes().flatMap((code) => board.get(code)?.seats ?? []);
  if (all.length === 0) return "";
  const free = all.reduce((sum, { available }) => sum + available, 0);
  return `${plural(free, "seat")} free in ${plural(all.length, "module")}`;
}
