import type { Link } from "./event-stream.ts";
import { duration } from "./format.ts";
import { html, type TemplateResult } from "./lit-html.js";

/** A connection that was lost a moment ago is told as a time only after this. */
const momentMs = 5_000;

/** Whether what is shown is live, and since when not. */
export function linkView(link: Link): TemplateResult {
  switch (link.state) {
    case "open":
      return html`<span class="dot" data-state="open" aria-hidden="true"></span> Live`;
    case "connecting":
      return html`<span class="dot" data-state="waiting" aria-hidden="true"></span> Connecting…`;
    case "waiting":
      return html`<span class="dot" data-state="waiting" aria-hidden="true"></span>
        Reconnecting…<span aria-hidden="true">${staleText(link.sinceMs)}</span>`;
    case "closed":
      return html`<span class="dot" data-state="closed" aria-hidden="true"></span> Not connected`;
    default:
      return link satisfies never;
  }
}

/** Counts on for whoever looks; a screen reader has been told that it is reconnecting. */
function staleText(sinceMs: number): string {
  const ms = Date.now() - sinceMs;
  return ms < momentMs ? "" : ` as of ${duration(Math.floor(ms / 1_000) * 1_000)} ago`;
}
