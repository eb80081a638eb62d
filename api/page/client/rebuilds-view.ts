import type { LiveFrame, LiveProof, LiveRebuild } from "../../live/frame.ts";
import { count, rate } from "./format.ts";
import { html, nothing, type TemplateResult } from "./lit-html.js";

/** Rebuilds as they go, and how the last ones ended. */
export function rebuildsView({ rebuilds }: LiveFrame): TemplateResult {
  return html`<div class="card">
    <h3>Rebuilds</h3>
    ${
      rebuilds.length === 0
        ? html`<p class="quiet">No projection has been rebuilt yet.</p>`
        : html`<ul class="rebuilds">
            ${rebuilds.map(rebuildItem)}
          </ul>`
    }
  </div>`;
}

const stateNames: Readonly<Record<string, string>> = {
  planned: "waiting for a worker",
  filling: "filling",
  proving: "comparing",
  proved: "proved, about to be swapped in",
  swapped: "swapped in",
  undone: "undone",
  abandoned: "given up",
  failed: "failed",
};

function rebuildItem(rebuild: LiveRebuild): TemplateResult {
  const { id, projection, state, waiting, reason, failure, proof } = rebuild;
  return html`<li data-rebuild=${id} data-state=${state}>
    <p>
      <strong>${projection}</strong> <span class="quiet">rebuild ${id}</span>
      <span class="badge">${stateNames[state] ?? state}</span>
    </p>
    ${progressOf(rebuild)} ${proof === null ? nothing : html`<p>${proofText(proof)}</p>`}
    ${waiting === null ? nothing : html`<p class="quiet">Waits: ${waiting}</p>`}
    ${failure === null ? nothing : html`<p class="fault">${failure}</p>`}
    ${reason === null ? nothing : html`<p class="quiet">Because: ${reason}</p>`}
  </li>`;
}

const underWay = new Set(["planned", "filling", "proving", "proved"]);

function progressOf({ projection, state, done, of, recordsPerSecond }: LiveRebuild) {
  if (done === null || of === null || !underWay.has(state)) return nothing;
  return html`<p class="progress">
    <progress
      max=${Math.max(1, of)}
      value=${done}
      aria-label=${`Rebuild of ${projection}`}
    ></progress>
    <span class="number">
      ${count(done)} of ${count(of)} records
      ${recordsPerSecond === null || done >= of ? nothing : html`· ${rate(recordsPerSecond)}/s`}
    </span>
  </p>`;
}

function proofText({ equal, rows, differing }: LiveProof): string {
  if (equal) return `Compared: all ${count(rows)} rows are the same.`;
  return differing === 0
    ? `Compared: ${count(rows)} rows; built by another version.`
    : `Compared: ${count(differing)} of ${count(rows)} rows differ.`;
}
