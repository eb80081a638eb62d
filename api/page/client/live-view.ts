import type { LiveFrame } from "../../live/frame.ts";
import type { Backend } from "./backend.ts";
import { EventStream, type Link } from "./event-stream.ts";
import { html, nothing, render, type TemplateResult } from "./lit-html.js";
import { linkView } from "./link-view.ts";
import { consumersView, effectsView, ratesView, sagasView } from "./operations-view.ts";
import { RebuildForm } from "./rebuild-form.ts";
import { rebuildsView } from "./rebuilds-view.ts";

/** What whoever looks may see of the system. */
export type Watching = "nothing" | "only" | "and rebuild";

/** Commands per second of the last minute. */
const trendMax = 60;
/** Frames come each second. */
const silentMs = 10_000;

/** What the system does, for those who run it: there is a stream while somebody may see it. */
export class LiveView {
  readonly #backend: Backend;
  readonly #onChange: () => void;
  readonly #form: RebuildForm;
  #watching: Watching = "nothing";
  #stream: EventStream | undefined;
  #link: Link = { state: "closed" };
  #frame: LiveFrame | undefined;
  #trouble: string | undefined;
  #trend: readonly (number | null)[] = [];

  constructor(backend: Backend, onChange: () => void) {
    this.#backend = backend;
    this.#onChange = onChange;
    this.#form = new RebuildForm(backend, onChange);
  }

  watch(watching: Watching): void {
    if (watching === this.#watching) return;
    this.#watching = watching;
    this.#stream?.close();
    this.#stream = undefined;
    this.#frame = undefined;
    this.#trend = [];
    if (watching !== "nothing") this.#stream = this.#open();
  }

  draw(section: HTMLElement, body: HTMLElement): void {
    section.hidden = this.#watching === "nothing";
    render(this.#view(), body);
  }

  #open(): EventStream {
    const stream = new EventStream({
      path: "/live",
      headers: () => this.#backend.authorization(),
      silentMs,
      onOpen: () => undefined,
      onEvent: ({ event, data }) => {
        if (stream === this.#stream) this.#take(event, data);
      },
      onLink: (link) => {
        if (stream === this.#stream) this.#link = link;
        this.#onChange();
      },
      onRefused: (problem) => {
        this.#backend.refused(problem);
        return problem.status === 401 || problem.status === 403 ? "stop" : "retry";
      },
    });
    return stream;
  }

  #take(event: string, data: unknown): void {
    if (event === "frame") {
      this.#frame = data as LiveFrame;
      this.#trouble = undefined;
      const { acceptedPerSecond } = this.#frame.commands;
      this.#trend = [...this.#trend, acceptedPerSecond].slice(-trendMax);
    } else if (event === "trouble") {
      this.#trouble = (data as { readonly reason: string }).reason;
    } else if (event === "end") {
      const { code, reason } = data as { readonly code: string; readonly reason: string };
      if (code.startsWith("session-")) this.#backend.refused({ status: 401, code, detail: reason });
    }
    this.#onChange();
  }

  #view(): TemplateResult | typeof nothing {
    if (this.#watching === "nothing") return nothing;
    const frame = this.#frame;
    return html`
      <div class="bar">
        <h2 id="operations-heading">The system</h2>
        <p class="link">${linkView(this.#link)}</p>
      </div>
      ${this.#trouble === undefined ? nothing : html`<p class="fault">${this.#trouble}</p>`}
      ${
        frame === undefined
          ? html`<p class="quiet">Waiting for the first figures…</p>`
          : html`<div class="cards">
                ${ratesView(frame, this.#trend)} ${sagasView(frame)} ${effectsView(frame)}
              </div>
              ${consumersView(frame)} ${rebuildsView(frame)}
              ${this.#watching === "and rebuild" ? this.#form.view(frame) : nothing}`
      }
    `;
  }
}
