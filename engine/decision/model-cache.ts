import type { DecisionModel, ModelOf } from "./definition.ts";
import { KnownModel } from "./known-model.ts";

/** By name of the model, then by id: joining the two for each look-up would cost more than it. */
type Entries = Map<string, Map<string, KnownModel>>;

const none: KnownModel[] = [];

/**
 * The models used last, at most `modelsMax`. One that is dropped is read anew when asked for.
 *
 * Several deciders of one store may share it. Each folds in what it has recorded under the store's
 * condition, or read, in order of position: so a model is true up to its position whoever brought
 * it there. What it was decided on is remembered by who decides (`Group.models`).
 *
 * They are kept in two halves: what is used moves to the recent one, and when that is full it
 * becomes the older one and what was left there is dropped. An exact order of use would cost two
 * changes of a map at every look-up.
 */
export class ModelCache {
  readonly #modelsMax: number;
  /** Few: a list is smaller than a set, and there is one for each tag. */
  readonly #byTag = new Map<string, KnownModel[]>();
  /** What was ever asked for, by the name of its tag. */
  readonly #models = new Map<string, Set<DecisionModel>>();
  #recent: Entries = new Map();
  #older: Entries = new Map();
  #recentSize = 0;
  #size = 0;

  /** @param options `modelsMax`: models that are kept (default 50,000). */
  constructor(options: { readonly modelsMax?: number } = {}) {
    this.#modelsMax = options.modelsMax ?? 50_000;
  }

  get size(): number {
    return this.#size;
  }

  /** The entry, made (and stale) where there was none. */
  entry(of: ModelOf): KnownModel {
    const found = this.#recent.get(of.model.name)?.get(of.id);
    if (found) return found;
    const entry = this.#older.get(of.model.name)?.get(of.id) ?? this.#make(of);
    this.#older.get(of.model.name)?.delete(of.id);
    const sameModel = this.#recent.get(of.model.name);
    if (sameModel) sameModel.set(of.id, entry);
    else this.#recent.set(of.model.name, new Map([[of.id, entry]]));
    this.#recentSize += 1;
    return entry;
  }

  /** All that fold some events of the tag. */
  ofTag(tag: string): Iterable<KnownModel> {
    return this.#byTag.get(tag) ?? none;
  }

  /**
   * Makes entries, which need no look at the store, for an id of which there are no events yet: of
   * the models that somebody here has asked for before.
   *
   * @param tag Its name and the id, as events have it.
   */
  begin(tag: string, id: string): readonly KnownModel[] {
    if (this.#byTag.has(tag)) return none;
    const models = this.#models.get(tag.slice(0, tag.length - id.length - 1)) ?? [];
    return Array.from(models, (model) => {
      const entry = this.entry({ model, id });
      entry.begin();
      return entry;
    });
  }

  /** Between rounds only: a round must find the entries that it has read. */
  trim(): void {
    if (this.#recentSize * 2 > this.#modelsMax) {
      this.#forgetOlder(0);
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#recentSize = 0;
    }
    this.#forgetOlder(this.#modelsMax);
  }

  #make(of: ModelOf): KnownModel {
    const made = new KnownModel(of);
    this.#size += 1;
    const sameName = this.#models.get(of.model.tag);
    if (sameName) sameName.add(of.model);
    else this.#models.set(of.model.tag, new Set([of.model]));
    const sameTag = this.#byTag.get(made.tag);
    if (sameTag) sameTag.push(made);
    else this.#byTag.set(made.tag, [made]);
    return made;
  }

  #forgetTag(entry: KnownModel): void {
    const sameTag = this.#byTag.get(entry.tag) ?? none;
    if (sameTag.length === 1) this.#byTag.delete(entry.tag);
    else sameTag.splice(sameTag.indexOf(entry), 1);
  }

  /** Drops of the older half until so many are left in all. */
  #forgetOlder(sizeMax: number): void {
    for (const sameModel of this.#older.values()) {
      for (const [id, entry] of sameModel) {
        if (this.#size <= sizeMax) return;
        sameModel.delete(id);
        this.#size -= 1;
        this.#forgetTag(entry);
      }
    }
  }
}
