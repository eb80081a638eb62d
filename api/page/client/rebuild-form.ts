import type { LiveFrame } from "../../live/frame.ts";
import type { Backend } from "./backend.ts";
import { html, nothing, type TemplateResult } from "./lit-html.js";

/** Asks for a rebuild: which projection, and why. The reason is recorded. */
export class RebuildForm {
  readonly #backend: Backend;
  readonly #onChange: () => void;
  #isBusy = false;
  #told: { readonly text: string; readonly isFault: boolean } | undefined;

  constructor(backend: Backend, onChange: () => void) {
    this.#backend = backend;
    this.#onChange = onChange;
  }

  view({ consumers }: LiveFrame): TemplateResult {
    const projections = consumers.filter(({ kind }) => kind === "projection");
    const told = this.#told;
    return html`<form
      class="card rebuild-form"
      aria-labelledby="rebuild-heading"
      @submit=${(event: SubmitEvent) => this.#submitted(event)}
    >
      <h3 id="rebuild-heading">Rebuild a projection</h3>
      <p class="quiet">
        It is built anew beside what serves, compared, and swapped in when no row differs.
      </p>
      <div class="filter">
        <label class="field">
          <span>Projection</span>
          <select name="projection">
            ${projections.map(({ name }) => html`<option value=${name}>${name}</option>`)}
          </select>
        </label>
        <label class="field">
          <span>Reason</span>
          <input name="reason" required maxlength="1000" autocomplete="off" />
        </label>
        <button class="first" aria-disabled=${this.#isBusy ? "true" : "false"}>Rebuild</button>
      </div>
      <div role="status">
        ${
          told === undefined
            ? nothing
            : html`<p class=${told.isFault ? "fault" : "quiet"}>${told.text}</p>`
        }
      </div>
    </form>`;
  }

  #submitted(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const { projection, reason } = Object.fromEntries(new FormData(form));
    if (typeof projection === "string" && typeof reason === "string" && !this.#isBusy) {
      void this.#start(projection, reason).then(() => form.reset());
    }
  }

  async #start(projection: string, reason: string): Promise<void> {
    this.#isBusy = true;
    this.#onChange();
    const body = { projection, reason };
    const answer = await this.#backend.ask<{ readonly id: string }>("/admin/rebuilds", {
      method: "POST",
      body,
    });
    this.#isBusy = false;
    this.#told = answer.ok
      ? { text: `Rebuild ${answer.body.id} of ${projection} is asked for.`, isFault: false }
      : { text: answer.problem.detail, isFault: true };
    this.#onChange();
  }
}
