import type { ModelOf } from "./definition.ts";
import { KnownModel } from "./known-model.ts";

/** The models used last, at most `modelsMax`. One that is dropped is read anew when asked for. */
export class ModelCache {
  readonly #modelsMax: number;
  readonly #entries = new Map<string, KnownModel>();
  readonly #byTag = new Map<string, Set<KnownModel>>();

  constructor(options: { readonly modelsMax: number }) {
    this.#modelsMax = options.modelsMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry, made (and stale) where there was none. */
  entry(of: ModelOf): KnownModel {
    const key = `${of.model.name}\n${of.id}`;
    const found = this.#entries.get(key);
    if (found) {
      // Moved to the end: the first of the map is the one used longest ago.
      this.#entries.delete(key);
      this.#entries.set(key, found);
      return found;
    }
    const made = new KnownModel(of);
    this.#entries.set(key, made);
    const sameTag = this.#byTag.get(made.tag);
    if (sameTag) sameTag.add(made);
    else this.#byTag.set(made.tag, new Set([made]));
    return made;
  }

  /** All that fold some events of the tag. */
  ofTag(tag: string): Iterable<KnownModel> {
    return this.#byTag.get(tag) ?? [];
  }

  /** Between rounds only: a round must find the entries that it has read. */
  trim(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= this.#modelsMax) return;
      this.#entries.delete(key);
      const sameTag = this.#byTag.get(entry.tag);
      sameTag?.delete(entry);
      if (sameTag?.size === 0) this.#byTag.delete(entry.tag);
    }
  }
}
