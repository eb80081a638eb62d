import type { LiveConsumer, LiveFrame, SagaCount } from "../../live/frame.ts";
import { count, duration, plural, rate, unknown } from "./format.ts";
import { html, nothing, svg, type TemplateResult } from "./lit-html.js";

/** Commands per second, how they went of late, and why some were refused. */
export function ratesView(
  { commands }: LiveFrame,
  trend: readonly (number | null)[],
): TemplateResult {
  const { acceptedPerSecond, refusedPerSecond, refusals, turnedAwayPerSecond } = commands;
  const reasons = Object.entries(refusals).sort(([, a], [, b]) => b - a);
  return html`<div class="card">
    <h3>Commands</h3>
    <dl class="figures">
      ${figure("accepted", acceptedPerSecond)} ${figure("refused", refusedPerSecond)}
      ${figure("turned away", turnedAwayPerSecond)}
    </dl>
    ${trendLine(trend)}
    ${
      reasons.length === 0
        ? nothing
        : html`<table>
            <caption>
              Refused by reason
            </caption>
            <thead>
              <tr>
                <th scope="col">Reason</th>
                <th scope="col" class="figure">Per second</th>
              </tr>
            </thead>
            <tbody>
              ${reasons.map(
                ([code, perSecond]) =>
                  html`<tr>
                    <th scope="row">${code.replaceAll("-", " ")}</th>
                    <td class="figure">${rate(perSecond)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
    <p class="quiet">Of the process that serves this page.</p>
  </div>`;
}

const figure = (name: string, perSecond: number | null): TemplateResult =>
  html`<div>
    <dt>${name}</dt>
    <dd><span class="big">${rate(perSecond)}</span>${perSecond === null ? "" : "/s"}</dd>
  </div>`;

const trendHeight = 40;
const trendWidth = 240;

/** Seconds that nobody knows of leave a gap. */
function trendLine(trend: readonly (number | null)[]): TemplateResult {
  const known = trend.filter((value) => value !== null);
  const most = Math.max(1, ...known);
  const step = trendWidth / 59;
  const from = trendWidth - (trend.length - 1) * step;
  let pen = "M";
  const path = trend.map((value, at) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const y = trendHeight - 1 - (value / most) * (trendHeight - 3);
    const point = `${pen}${(from + at * step).toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
    return point;
  });
  const told = `Accepted commands of the last ${trend.length} seconds, at most ${rate(most)} a second`;
  return html`<svg
    class="trend"
    viewBox="0 0 ${trendWidth} ${trendHeight}"
    preserveAspectRatio="none"
    role="img"
    aria-label=${told}
  >
    ${svg`<path class="trend-line" d=${path.join("")} vector-effect="non-scaling-stroke" />`}
  </svg>`;
}

const sagaNames: Readonly<Record<string, string>> = {
  registrations: "Registrations",
  payments: "Payments",
  enrolments: "Enrolments",
};

/** How many of each kind stand how. */
export function sagasView({ sagas, atMs }: LiveFrame): TemplateResult {
  return html`<div class="card">
    <h3>Sagas</h3>
    ${Object.entries(sagas).map(([kind, counted]) => sagaView(kind, counted, atMs))}
  </div>`;
}

/** Counts that were made this long ago are told as old. */
const oldMs = 3_000;

function sagaView(kind: string, counted: SagaCount | null, atMs: number): TemplateResult {
  const name = sagaNames[kind] ?? kind;
  if (counted === null) return html`<p>${name}: <span class="quiet">${unknown}</span></p>`;
  const statuses = Object.entries(counted.counts).sort(([, a], [, b]) => b - a);
  const all = statuses.reduce((sum, [, n]) => sum + n, 0);
  const ageMs = atMs - counted.countedAtMs;
  return html`<table>
    <caption>
      ${name}: ${count(all)} ${ageMs > oldMs ? `(as of ${duration(ageMs)} ago)` : ""}
    </caption>
    <thead class="hidden">
      <tr>
        <th scope="col">State</th>
        <th scope="col">How many</th>
      </tr>
    </thead>
    <tbody>
      ${statuses.map(
        ([status, n]) =>
          html`<tr>
            <th scope="row">${status}</th>
            <td class="figure">${count(n)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Calls of the outside world, dead letters, and the capture. */
export function effectsView({ effects, deadLetters, capture, gatheredInMs }: LiveFrame) {
  return html`<div class="card">
    <h3>Edges</h3>
    <dl class="pairs">
      <dt>Capture</dt>
      <dd>${capture.state}</dd>
      <dt>Not captured yet</dt>
      <dd>${capture.lagBytes === null ? unknown : `${count(capture.lagBytes)} bytes`}</dd>
      <dt>Dead letters</dt>
      <dd>${count(deadLetters)}</dd>
      ${effects.map(
        ({ kind, requested, started, failed, oldestSeconds }) =>
          html`<dt>${kind}</dt>
            <dd>
              ${requested} waiting, ${started} under way, ${failed} given up; oldest
              ${duration(oldestSeconds * 1_000)}
            </dd>`,
      )}
    </dl>
    ${effects.length === 0 ? html`<p class="quiet">No call of the outside world is open.</p>` : nothing}
    <p class="quiet">Gathered in ${duration(gatheredInMs)}.</p>
  </div>`;
}

/** Processors and projections. */
export function consumersView({ consumers }: LiveFrame): TemplateResult {
  const behind = consumers.filter(({ lagRecords }) => lagRecords > 0).length;
  return html`<div class="card">
    <h3 id="consumers-heading">Processors and projections</h3>
    <p class="quiet">
      ${behind === 0 ? "All have caught up." : `${plural(behind, "of them is", "of them are")} behind.`}
    </p>
    <div class="scroll" tabindex="0" role="group" aria-label="Table of processors and projections">
      <table class="consumers" aria-labelledby="consumers-heading">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col" class="figure">Records/s</th>
            <th scope="col" class="figure">Behind</th>
            <th scope="col" class="figure">Lag</th>
            <th scope="col" class="figure">Fresh as of</th>
          </tr>
        </thead>
        <tbody>
          ${consumers.map(consumerRow)}
        </tbody>
      </table>
    </div>
  </div>`;
}

const calm = new Set(["running", "assigned"]);

function consumerRow(one: LiveConsumer): TemplateResult {
  const { name, kind, state, reason, recordsPerSecond, lagRecords, lagSeconds, freshnessMs } = one;
  return html`<tr>
    <th scope="row">${name} <span class="quiet">${kind}</span></th>
    <td>
      <span class="state" data-calm=${calm.has(state) ? "yes" : "no"}>${state}</span>
      ${reason === null ? nothing : html`<span class="quiet">${reason}</span>`}
    </td>
    <td class="figure">${rate(recordsPerSecond)}</td>
    <td class="figure">${count(lagRecords)}</td>
    <td class="figure">${duration(lagSeconds * 1_000)}</td>
    <td class="figure">${freshnessMs === null ? unknown : `${duration(freshnessMs)} ago`}</td>
  </tr>`;
}
