/** How an expression of PromQL uses one series. */
export interface SeriesUse {
  readonly name: string;
  /** Labels that its matchers name. */
  readonly labels: readonly string[];
  /** The call that it is the argument of, through a subquery and aggregations too. */
  readonly calls: readonly string[];
}

export interface Expression {
  readonly series: readonly SeriesUse[];
  /** Labels that stand after by, on, and the like. */
  readonly grouping: readonly string[];
}

const token = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d[\w.]*|\$\w+|[A-Za-z_:][\w:]*|[{}()]|[^\s\w]/g;

const listsLabels = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const words = new Set([...listsLabels, "and", "or", "unless", "bool", "offset", "inf", "nan"]);
const isName = (text: string): boolean => /^[A-Za-z_:]/.test(text);

/**
 * Which series and labels an expression names. It takes the expression apart by its words alone
 * (https://prometheus.io/docs/prometheus/latest/querying/basics/): whether it is well-formed is for
 * promtool to say.
 */
export function expressionOf(text: string): Expression {
  const tokens = text.match(token) ?? [];
  const series: SeriesUse[] = [];
  const grouping: string[] = [];
  const open: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const one = tokens[at] ?? "";
    const next = tokens[at + 1];
    if (one === "(") open.push(callBefore(tokens, at));
    else if (one === ")") open.pop();
    else if (listsLabels.has(one.toLowerCase())) {
      const end = endOf(tokens, at + 1, ")");
      grouping.push(...tokens.slice(at + 2, end).filter(isName));
      at = end;
    } else if (isName(one) && !words.has(one.toLowerCase()) && !isCalled(next)) {
      const end = next === "{" ? endOf(tokens, at + 1, "}") : at;
      const labels = tokens.slice(at + 2, end).filter(isName);
      series.push({ name: one, labels, calls: open.filter(Boolean) });
      at = end;
    }
  }
  return { series, grouping };
}

const isCalled = (next: string | undefined): boolean =>
  next !== undefined && (next === "(" || next === "by" || next === "without");

/** An aggregation may name its labels first: `sum by (a) (...)`. */
function callBefore(tokens: readonly string[], at: number): string {
  const before = tokens[at - 1];
  if (before === undefined) return "";
  if (isName(before)) return words.has(before.toLowerCase()) ? "" : before;
  if (before !== ")") return "";
  const begin = tokens.lastIndexOf("(", at - 1);
  return listsLabels.has(tokens[begin - 1]?.toLowerCase() ?? "") ? (tokens[begin - 2] ?? "") : "";
}

function endOf(tokens: readonly string[], from: number, end: string): number {
  const at = tokens.indexOf(end, from);
  return at < 0 ? tokens.length : at;
}
