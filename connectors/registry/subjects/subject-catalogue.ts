import type { RegistryStore, SubjectName } from "../../../engine/ports/registry-store.ts";
import type {
  Deleted,
  Deletion,
  SubjectCatalogue,
  SubjectFilter,
  SubjectSchema,
  SubmittedSchema,
  SubmittedVersion,
} from "../../../engine/ports/subject-registry.ts";
import { hideSubject, hideVersion, removeSubject, removeVersion } from "./deletion.ts";
import { incompatibilityTexts } from "./incompatibility-text.ts";
import { findVersion, isMeant, subjectSchema } from "./look-up.ts";
import { refusals } from "./refusals.ts";
import { earlierVersions, knownVersion, parseInScope, registerVersion } from "./registration.ts";
import { configInScope } from "./settings-scope.ts";
import { qualified, selectionOf, subjectName, writableName } from "./subject-name.ts";
import { latest, versionIn, versionNumber } from "./version-number.ts";

/** Subjects and their versions, with Confluent's rules, on any store. */
export class StoredSubjects implements SubjectCatalogue {
  readonly #store: RegistryStore;

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  async names({ prefix, deleted }: SubjectFilter): Promise<readonly string[]> {
    const subjects = await this.#store.subjects(selectionOf(prefix));
    return subjects.filter((one) => isMeant(one, deleted)).map(({ name }) => qualified(name));
  }

  async register(subject: string, submitted: SubmittedVersion): Promise<SubjectSchema> {
    const name = writableName(subject, "subject");
    // Most registrations are of what is there: those take no lock.
    const known = await knownVersion(this.#store, name, submitted);
    if (known !== undefined) return subjectSchema(known);
    const made = await this.#store.change(name.context, (change) =>
      registerVersion(change, name, submitted),
    );
    return subjectSchema(made);
  }

  async lookUp(
    subject: string,
    submitted: SubmittedSchema,
    deleted: Deleted,
  ): Promise<SubjectSchema> {
    const name = subjectName(subject);
    await this.#refuseUnknown(name, deleted);
    if (submitted.schema.trim() === "") throw refusals.schemaUnknown();
    const parsed = await parseInScope(this.#store, name, submitted);
    const found = await findVersion(this.#store, { name, parsed }, deleted);
    if (found === undefined) throw refusals.schemaUnknown();
    return subjectSchema(found);
  }

  async versions(subject: string, deleted: Deleted): Promise<readonly number[]> {
    const name = subjectName(subject);
    await this.#refuseUnknown(name, deleted === "only" ? "included" : deleted);
    const versions = await this.#store.versionsOf(name);
    return versions.filter((one) => isMeant(one, deleted)).map((one) => one.version);
  }

  async version(subject: string, version: string, deleted: Deleted): Promise<SubjectSchema> {
    const number = versionNumber(version);
    const name = subjectName(subject);
    const versions = await this.#store.versionsOf(name);
    const found = versionIn(versions, number);
    if (found !== undefined && isMeant(found, deleted)) return subjectSchema(found);
    await this.#refuseUnknown(name, deleted);
    throw refusals.versionUnknown(number);
  }

  async referencedBy(subject: string, version: string): Promise<readonly number[]> {
    const found = await this.version(subject, version, "included");
    const referrers = await this.#store.referrers(found.subject, found.version);
    return [...new Set(referrers.map((one) => one.id))].sort((a, b) => a - b);
  }

  async deleteSubject(subject: string, how: Deletion): Promise<readonly number[]> {
    const name = subjectName(subject);
    return this.#store.change(name.context, (change) =>
      how === "permanent" ? removeSubject(change, name) : hideSubject(change, name),
    );
  }

  async deleteVersion(subject: string, version: string, how: Deletion): Promise<number> {
    const name = subjectName(subject);
    return this.#store.change(name.context, (change) =>
      how === "permanent"
        ? removeVersion(change, { name, version })
        : hideVersion(change, { name, version }),
    );
  }

  async check(
    subject: string,
    submitted: SubmittedSchema,
    against: string,
  ): Promise<readonly string[]> {
    const name = writableName(subject, "subject");
    const number = against === "all" ? undefined : versionNumber(against);
    const shown = (await this.#store.versionsOf(name)).filter((version) => !version.deleted);
    const one = number === undefined ? undefined : versionIn(shown, number);
    if (one === undefined && number !== undefined && number !== latest) {
      throw refusals.versionUnknown(number);
    }
    if (submitted.schema.trim() === "") throw refusals.schemaEmpty();
    const parsed = await parseInScope(this.#store, name, submitted);
    const { compatibility } = await configInScope(this.#store, name);
    const earlier = await earlierVersions(this.#store, one === undefined ? shown : [one]);
    return incompatibilityTexts(compatibility, parsed.schema, earlier);
  }

  /** @throws RegistryRefusal 40401 when the subject has no version of those that are meant. */
  async #refuseUnknown(name: SubjectName, deleted: Deleted): Promise<void> {
    const versions = await this.#store.versionsOf(name);
    if (!versions.some((version) => isMeant(version, deleted))) {
      throw refusals.subjectUnknown(qualified(name));
    }
  }
}
