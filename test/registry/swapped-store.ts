import type {
  RegistryChange,
  RegistryStore,
  RegistryView,
  SubjectName,
  SubjectSelection,
} from "../../engine/ports/registry-store.ts";

/** A store in whose place another one can be put while a server works on it. */
export class SwappedStore implements RegistryStore {
  #store: RegistryStore;

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  swap(store: RegistryStore): void {
    this.#store = store;
  }

  identity = () => this.#store.identity();
  contexts = () => this.#store.contexts();
  schema = (context: string, id: number) => this.#store.schema(context, id);
  lastId = (context: string) => this.#store.lastId(context);
  idOf = (context: string, fingerprint: Buffer) => this.#store.idOf(context, fingerprint);
  versionsOf = (name: SubjectName) => this.#store.versionsOf(name);
  versionsWith = (context: string, id: number) => this.#store.versionsWith(context, id);
  subjects = (selection: SubjectSelection) => this.#store.subjects(selection);
  select = (selection: SubjectSelection) => this.#store.select(selection);
  referrers: RegistryView["referrers"] = (subject, version) =>
    this.#store.referrers(subject, version);
  settings = (name: SubjectName) => this.#store.settings(name);
  change = <Result>(context: string, work: (change: RegistryChange) => Promise<Result>) =>
    this.#store.change(context, work);
}
