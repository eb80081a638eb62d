import { duration, money, time } from "./format.ts";
import { html, nothing, type TemplateResult } from "./lit-html.js";
import { isActive, type Own } from "./registrations.ts";
import type { Credentials, Session } from "./session.ts";

export interface AccountActions {
  readonly call: (student: string) => void;
  readonly signIn: (credentials: Credentials) => void;
  readonly signOut: () => void;
  readonly withdraw: (own: Own) => void;
  readonly takeSeat: (own: Own) => void;
  readonly pay: (own: Own, card: string) => void;
}

export interface AccountShown {
  readonly access: "open" | "sessions" | undefined;
  readonly session: Session;
  readonly registrations: readonly Own[];
  readonly isLoaded: boolean;
  readonly failure: string | undefined;
  readonly titleOf: (code: string) => string;
  readonly isBusy: (id: string) => boolean;
  readonly actions: AccountActions;
}

/** Signing in; and afterwards what a student has registered for. */
export function accountView(shown: AccountShown): TemplateResult {
  const { access, session } = shown;
  const { person } = session;
  if (access === undefined) return html`<p class="quiet">Asking the server…</p>`;
  if (person === undefined) return access === "open" ? nameForm(shown) : signInForm(shown);
  return html`
    <div class="bar">
      <p>
        ${person.role === "student" ? "Student" : "Signed in as"} <strong>${person.subject}</strong>
        ${person.role === "student" ? nothing : html`(${person.role})`}
        ${
          person.expiresAt === undefined
            ? nothing
            : html`<span class="quiet">until ${time(person.expiresAt)}</span>`
        }
      </p>
      <button type="button" class="second" @click=${shown.actions.signOut}>
        ${person.expiresAt === undefined ? "Someone else" : "Sign out"}
      </button>
    </div>
    ${person.role === "student" ? ownList(shown) : nothing}
  `;
}

const named = (form: FormData, name: string): string => {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
};

function nameForm({ actions }: AccountShown): TemplateResult {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const name = named(new FormData(event.target as HTMLFormElement), "name").trim();
    if (name !== "") actions.call(name);
  };
  return html`<form class="sign-in" @submit=${submit}>
    <label class="field">
      <span>Student id</span>
      <input name="name" required maxlength="200" autocomplete="username" spellcheck="false" />
    </label>
    <button class="first">Continue</button>
    <p class="quiet">This server asks nobody to sign in.</p>
  </form>`;
}

function signInForm({ session, actions }: AccountShown): TemplateResult {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const given = new FormData(form);
    const kind = named(given, "kind") === "user" ? "user" : "student";
    const password = named(given, "password");
    actions.signIn({ kind, name: named(given, "name").trim(), password });
    form.querySelector<HTMLInputElement>('input[name="password"]')!.value = "";
  };
  const { ending, refusal, isBusy } = session;
  return html`
    ${ending === undefined ? nothing : html`<p class="banner" role="alert">${ending}</p>`}
    <form class="sign-in" @submit=${submit}>
      <fieldset>
        <legend>Sign in as</legend>
        <label class="check"
          ><input type="radio" name="kind" value="student" checked /> Student</label
        >
        <label class="check"><input type="radio" name="kind" value="user" /> Staff</label>
      </fieldset>
      <label class="field">
        <span>Student id or user name</span>
        <input name="name" required maxlength="200" autocomplete="username" spellcheck="false" />
      </label>
      <label class="field">
        <span>Password</span>
        <input
          name="password"
          type="password"
          required
          maxlength="1000"
          autocomplete="current-password"
          aria-describedby="sign-in-note"
        />
      </label>
      ${refusal === undefined ? nothing : html`<p class="fault" role="alert">${refusal}</p>`}
      <button class="first" aria-disabled=${isBusy ? "true" : "false"}>
        ${isBusy ? "Signing in…" : "Sign in"}
      </button>
      <p class="quiet" id="sign-in-note">Closing or reloading the page signs you out.</p>
    </form>
  `;
}

function ownList(shown: AccountShown): TemplateResult {
  const { registrations, isLoaded, failure } = shown;
  const active = registrations.filter(isActive);
  const ended = registrations.filter((one) => !isActive(one));
  return html`
    ${failure === undefined ? nothing : html`<p class="fault">${failure}</p>`}
    ${
      !isLoaded || active.length > 0
        ? nothing
        : html`<p class="quiet">None yet: choose a module from the list of seats.</p>`
    }
    <ul class="own" aria-label="Your registrations">
      ${active.map((one) => ownItem(one, shown))}
    </ul>
    ${
      ended.length === 0
        ? nothing
        : html`<details>
            <summary>Ended (${ended.length})</summary>
            <ul class="own">
              ${ended.map((one) => ownItem(one, shown))}
            </ul>
          </details>`
    }
  `;
}

function ownItem(own: Own, shown: AccountShown): TemplateResult {
  const { moduleCode, status } = own;
  const { actions, titleOf, isBusy } = shown;
  const isAtWork = isBusy(own.registrationId) ? "true" : "false";
  const isInLine = status === "waiting" || status === "offered";
  return html`<li data-registration=${own.registrationId}>
    <p>
      <span class="code">${moduleCode}</span> <span class="title">${titleOf(moduleCode)}</span>
      <span class="badge" data-status=${status}>${statusText(own)}</span>
    </p>
    <p class="quiet">${detailText(own)}</p>
    ${
      isActive(own)
        ? html`<div class="acts">
            ${canPay(own) ? payForm(own, shown) : nothing}
            ${
              status === "offered"
                ? html`<button
                    type="button"
                    class="first"
                    aria-disabled=${isAtWork}
                    @click=${() => actions.takeSeat(own)}
                  >
                    Take the seat
                  </button>`
                : nothing
            }
            <button
              type="button"
              class="second"
              aria-disabled=${isAtWork}
              aria-label=${`${isInLine ? "Leave the line of" : "Withdraw from"} ${moduleCode}`}
              @click=${() => actions.withdraw(own)}
            >
              ${isInLine ? "Leave the line" : "Withdraw"}
            </button>
          </div>`
        : nothing
    }
  </li>`;
}

const canPay = ({ status, feeCents, enrolmentId, payment }: Own): boolean =>
  status === "held" &&
  (feeCents ?? 0) > 0 &&
  enrolmentId === null &&
  (payment === undefined || payment.status === "requested");

/** Cards of the sandbox, each with what becomes of it. */
const cards = [
  ["tok_ok", "Card that works"],
  ["tok_delay_3000", "Card that takes 3 seconds"],
  ["tok_declined", "Card that is declined"],
  ["tok_insufficient_funds", "Card without money"],
] as const;

function payForm(own: Own, { actions, isBusy }: AccountShown): TemplateResult {
  const { moduleCode, registrationId } = own;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    actions.pay(own, named(new FormData(event.target as HTMLFormElement), "card"));
  };
  return html`<form class="pay" @submit=${submit}>
    <select name="card" aria-label=${`Card for ${moduleCode}`}>
      ${cards.map(([token, text]) => html`<option value=${token}>${text}</option>`)}
    </select>
    <button
      class="first"
      aria-disabled=${isBusy(registrationId) ? "true" : "false"}
      aria-label=${`Pay ${money(own.feeCents ?? 0)} for ${moduleCode}`}
    >
      Pay ${money(own.feeCents ?? 0)}
    </button>
  </form>`;
}

function statusText({ status, place }: Own): string {
  if (status === "waiting") return place === null ? "In line" : `In line, place ${place}`;
  return statusNames[status] ?? status;
}

const statusNames: Readonly<Record<string, string>> = {
  offered: "Seat offered",
  held: "Seat held",
  completed: "Registered",
  cancelled: "Cancelled",
  expired: "Offer expired",
  left: "Left the line",
};

const reasonNames: Readonly<Record<string, string>> = {
  PAYMENT_FAILED: "The payment failed.",
  PAYMENT_TIMED_OUT: "It wasn’t paid in time.",
  WITHDRAWN: "You withdrew.",
  ENROLMENT_REVERSED: "The enrolment that it belonged to was reversed.",
  MODULE_WITHDRAWN: "The module was withdrawn.",
};

function detailText({ status, holdExpiresAt, offerExpiresAt, payment, reason }: Own): string {
  if (status === "held" && payment?.status === "charging") return "The card is being charged.";
  if (status === "held" && holdExpiresAt !== null) return `Pay ${leftUntil(holdExpiresAt)}.`;
  if (status === "offered" && offerExpiresAt !== null) {
    return `Take it ${leftUntil(offerExpiresAt)}.`;
  }
  const why = reason === null ? "" : (reasonNames[reason] ?? reason);
  return [why, paymentText(payment)].filter((part) => part !== "").join(" ");
}

function paymentText(payment: Own["payment"]): string {
  if (payment === undefined) return "";
  if (payment.refundedCents > 0) return `${money(payment.refundedCents)} was paid back.`;
  return payment.status === "confirmed" ? `${money(payment.amountCents)} paid.` : "";
}

function leftUntil(iso: string): string {
  const leftMs = Date.parse(iso) - Date.now();
  return leftMs <= 0 ? "now" : `within ${duration(leftMs)}, until ${time(iso)}`;
}
