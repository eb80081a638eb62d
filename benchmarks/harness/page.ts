import { valueText } from "./figure.ts";
import type { FigureResult, RunResult, WorkloadResult } from "./result.ts";
import { settingsText, surroundingsText } from "./texts.ts";

/** A run as one page that needs nothing else: no script, no font, no picture from elsewhere. */
export function pageOf(run: RunResult): string {
  const title = `Refold's benchmarks, ${run.startedAt.slice(0, 10)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<pre>${escaped(surroundingsText(run))}</pre>
<p class="legend"><span class="measured">measured</span> <span class="ceiling">ceiling</span>
<span class="peer">peer</span> Bars end at the median; the line goes from the least to the largest
repeat.</p>
${run.workloads.map(section).join("\n")}
</main>
</body>
</html>
`;
}

function section(result: WorkloadResult): string {
  const { name, question, settings, warmUp, checked, notes, leftOut, failure, figures } = result;
  const facts: readonly (readonly [string, string])[] = [
    ["settings", settingsText(settings)],
    ["warm-up", warmUp],
    ...checked.map((what) => ["checked", what] as const),
    ...notes.map((what) => ["note", what] as const),
    ...leftOut.map((what) => ["left out", what] as const),
    ...(failure === undefined ? [] : [["failed", failure] as const]),
  ];
  const byUnit = Map.groupBy(figures, ({ unit }) => unit);
  return `<section>
<h2>${escaped(name)}</h2>
<p>${escaped(question)}</p>
<dl>${facts.map(([of, what]) => `<dt>${of}</dt><dd>${escaped(what)}</dd>`).join("")}</dl>
${[...byUnit].map(([unit, of]) => chart(unit, of)).join("\n")}
</section>`;
}

/** Texts are the page's own, so that they keep their size where the bars become narrow. */
function chart(unit: string, figures: readonly FigureResult[]): string {
  const most = Math.max(...figures.map(({ maximum }) => maximum));
  const [{ better }] = figures as readonly [FigureResult];
  const rows = figures.map((figure) => row(figure, most)).join("\n");
  return `<figure>
<figcaption>${escaped(unit)}, ${better} is better</figcaption>
${rows}
</figure>`;
}

const width = 1_000;

function row(figure: FigureResult, most: number): string {
  const { name, role, median, minimum, maximum, samples, unit } = figure;
  const at = (value: number): string => ((most > 0 ? value / most : 0) * width).toFixed(1);
  const spread = `${valueText(minimum)} to ${valueText(maximum)}, ${samples.length} repeats`;
  const label = `${name}: ${valueText(median)} ${unit}`;
  return `<div class="row">
<span>${escaped(name)}</span><b>${valueText(median)}</b>
<svg viewBox="0 0 ${width} 24" preserveAspectRatio="none" role="img"
 aria-label="${escaped(label)}"><title>${escaped(`${label} (${spread})`)}</title>
<rect class="${role}" width="${at(median)}" height="24"/>
<rect class="spread" x="${at(minimum)}" y="10" width="${at(maximum - minimum)}" height="4"/>
</svg>
${samples.length > 1 ? `<small>${spread}</small>` : ""}
</div>`;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For the text of an element and for a quoted attribute. */
const escaped = (text: string): string => text.replace(/[&<>"']/g, (one) => escapes[one] ?? "");

const style = `
:root { --paper: #fff; --ink: #1c1d21; --faint: #5c5f6a; --line: #d8dae0;
  --measured: #2f6fde; --ceiling: #9aa0ad; --peer: #c77d1a; }
@media (prefers-color-scheme: dark) { :root { --paper: #16171b; --ink: #e8e9ed; --faint: #a2a6b3;
  --line: #33353d; --measured: #6ea0ff; --ceiling: #6b7080; --peer: #e0a048; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.8rem; color: var(--faint); }
section { border-top: 1px solid var(--line); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 0.75rem; font-size: 0.85rem; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1rem 0; } figcaption { color: var(--faint); font-size: 0.85rem; }
.row { display: grid; grid-template-columns: 1fr max-content; gap: 0 0.75rem; margin: 0.5rem 0; }
.row svg, .row small { grid-column: 1 / -1; } .row small { color: var(--faint); }
svg { width: 100%; height: 0.9rem; background: var(--line); }
rect.measured { fill: var(--measured); } rect.ceiling { fill: var(--ceiling); }
rect.peer { fill: var(--peer); } rect.spread { fill: var(--ink); }
.legend { font-size: 0.85rem; color: var(--faint); }
.legend span { border-left: 0.8rem solid; padding-left: 0.35rem; margin-right: 0.5rem; }
.legend .measured { border-color: var(--measured); } .legend .peer { border-color: var(--peer); }
.legend .ceiling { border-color: var(--ceiling); }
`;
