import { accountView } from "./account-view.ts";
import { Announcer } from "./announcer.ts";
import { Backend } from "./backend.ts";
import { Commands, type Done } from "./commands.ts";
import { EventStream, type Link } from "./event-stream.ts";
import { LiveView, type Watching } from "./live-view.ts";
import { html, nothing, render } from "./lit-html.js";
import { linkView } from "./link-view.ts";
import { Registrations } from "./registrations.ts";
import { Screen } from "./screen.ts";
import { type Seats, SeatBoard } from "./seat-board.ts";
import { seatsSummary, SeatsTable, type Viewer } from "./seats-table.ts";
import { atLeast, Session } from "./session.ts";

type Update = Seats & { readonly sourcePosition: string };

/** More than two heartbeats of the server. */
const silentMs = 40_000;
/** Modules that are new, or gone, without any seat of theirs changing. */
const reloadMs = 60_000;

/** Everything that the page is at, and where it stands on the screen. */
export class Page {
  readonly #document: Document;
  readonly #screen = new Screen(() => this.#draw());
  readonly #backend = new Backend((problem) => this.#session.refused(problem));
  readonly #session = new Session(this.#backend, () => this.#personChanged());
  readonly #board = new SeatBoard(this.#backend, (codes) => this.#modulesChanged(codes));
  readonly #registrations = new Registrations(this.#backend, () => this.#allChanged());
  readonly #commands = new Commands(this.#backend);
  readonly #live = new LiveView(this.#backend, () => this.#screen.change());
  readonly #announcer: Announcer;
  readonly #table: SeatsTable;
  readonly #changed = new Set<string>();
  readonly #busy = new Set<string>();
  #access: "open" | "sessions" | undefined;
  #updates: EventStream | undefined;
  #link: Link = { state: "connecting", sinceMs: Date.now(), why: "" };
  #told: Done | undefined;
  #student: string | undefined;

  constructor(document: Document) {
    this.#document = document;
    this.#announcer = new Announcer(this.#at("announcer"));
    this.#table = new SeatsTable(this.#at("rows"), this.#board);
  }

  async start(): Promise<void> {
    addEventListener("pagehide", () => this.#updates?.close());
    this.#listenToFilter();
    this.#follow();
    setInterval(() => this.#screen.change(), 1_000);
    setInterval(() => void this.#board.load(), reloadMs);
    await this.#learnAccess();
  }

  #at(id: string): HTMLElement {
    const found = this.#document.getElementById(id);
    if (found === null) throw new Error(`The page has no element #${id}.`);
    return found;
  }

  async #learnAccess(): Promise<void> {
    for (;;) {
      const answer = await this.#backend.ask<{ access: "open" | "sessions" }>("/page/settings");
      if (answer.ok) {
        this.#access = answer.body.access;
        this.#personChanged();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  #follow(): void {
    let isFirst = true;
    this.#updates = new EventStream({
      path: "/registration-updates",
      headers: () => ({}),
      silentMs,
      onOpen: () => {
        // What was missed comes by itself; what a first look lacks was never told.
        if (isFirst) void this.#board.load();
        isFirst = false;
      },
      onEvent: ({ event, data }) => {
        if (event === "SeatAvailableChanged") this.#updated(data as Update);
        else if (event === "reset") void this.#board.load();
      },
      onLink: (link) => {
        this.#link = link;
        this.#screen.change();
      },
      onRefused: () => "retry",
    });
  }

  #updated(update: Update): void {
    const before = this.#board.get(update.moduleCode)?.seats?.available;
    this.#board.update(update);
    this.#registrations.moduleChanged(update.moduleCode);
    if (before === undefined || before > 0 === update.available > 0) return;
    this.#announcer.turned(update.moduleCode, update.available > 0 ? "free" : "full");
  }

  #listenToFilter(): void {
    const form = this.#at("filter") as HTMLFormElement;
    const apply = () => {
      const given = new FormData(form);
      const text = given.get("text");
      this.#table.filter({
        text: typeof text === "string" ? text : "",
        freeOnly: given.has("free"),
      });
      this.#screen.change();
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  #modulesChanged(codes: ReadonlySet<string>): void {
    for (const code of codes) this.#changed.add(code);
    this.#screen.change();
  }

  /** Something that every row depends on. */
  #allChanged(): void {
    this.#modulesChanged(new Set(this.#board.codes()));
  }

  #personChanged(): void {
    const { person } = this.#session;
    const student = person?.role === "student" ? person.subject : undefined;
    if (student !== this.#student) {
      this.#student = student;
      this.#registrations.of(student);
    }
    this.#live.watch(this.#mayWatch());
    this.#allChanged();
  }

  #mayWatch(): Watching {
    const role = this.#access === "open" ? "admin" : this.#session.person?.role;
    if (!atLeast(role, "viewer")) return "nothing";
    return atLeast(role, "admin") ? "and rebuild" : "only";
  }

  /** One at a time for each thing; what is said about it stays until the next. */
  async #act(code: string, what: string, act: () => Promise<Done>): Promise<void> {
    if (this.#busy.has(what)) return;
    this.#busy.add(what);
    this.#modulesChanged(new Set([code]));
    const done = await act();
    this.#busy.delete(what);
    this.#told = done;
    this.#modulesChanged(new Set([code]));
    if (done.position !== undefined) this.#registrations.look(done.position);
    await this.#board.refresh(code, done.position);
  }

  #viewer(): Viewer {
    const student = this.#student;
    return {
      student,
      activeIn: (code) => this.#registrations.activeIn(code),
      isBusy: (code) => this.#busy.has(code),
      register: (module, how) => {
        if (student === undefined) return;
        const { moduleCode } = module;
        const register = () => this.#commands.register(student, module, how);
        void this.#act(moduleCode, moduleCode, register);
      },
    };
  }

  #draw(): void {
    render(linkView(this.#link), this.#at("link"));
    this.#drawSeats();
    this.#drawAccount();
    this.#drawTold();
    this.#live.draw(this.#at("operations"), this.#at("operations-body"));
  }

  #drawSeats(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#table.draw(changed, this.#viewer());
    this.#at("seats-summary").textContent = seatsSummary(this.#board);
    this.#at("seats-empty").textContent = this.#emptyText();
  }

  #emptyText(): string {
    const { failure, isLoaded } = this.#board;
    if (failure !== undefined) return failure;
    if (!isLoaded) return "Loading the modules…";
    if (this.#table.rows === 0) return "No module is offered yet.";
    return this.#table.shown === 0 ? "No module fits." : "";
  }

  #drawAccount(): void {
    const { all, isLoaded, failure } = this.#registrations;
    const view = accountView({
      access: this.#access,
      session: this.#session,
      registrations: all,
      isLoaded,
      failure: failure?.detail,
      titleOf: (code) => this.#board.get(code)?.module.title ?? "",
      isBusy: (id) => this.#busy.has(id),
      actions: {
        call: (student) => this.#session.call(student),
        signIn: (credentials) => void this.#session.signIn(credentials),
        signOut: () => void this.#session.signOut(),
        withdraw: (own) =>
          void this.#act(own.moduleCode, own.registrationId, () => this.#commands.withdraw(own)),
        takeSeat: (own) => this.#takeSeat(own.moduleCode),
        pay: (own, card) =>
          void this.#act(own.moduleCode, own.registrationId, () => this.#commands.pay(own, card)),
      },
    });
    render(view, this.#at("account-body"));
  }

  /** The command that joined the line takes the offered seat. */
  #takeSeat(code: string): void {
    const module = this.#board.get(code)?.module;
    if (module !== undefined) this.#viewer().register(module, "line");
  }

  #drawTold(): void {
    const told = this.#told;
    const close = () => {
      this.#told = undefined;
      this.#screen.change();
    };
    const view =
      told === undefined
        ? nothing
        : html`<div class="message" data-kind=${told.isFault ? "fault" : "done"}>
            <p>${told.isFault ? "Not done: " : ""}${told.text}</p>
            <button type="button" class="second" @click=${close}>Close</button>
          </div>`;
    render(view, this.#at("told"));
  }
}
