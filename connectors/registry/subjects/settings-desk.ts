import type {
  RegistrySettings,
  RegistryStore,
  SubjectName,
} from "../../../engine/ports/registry-store.ts";
import type { CompatibilityLevel } from "../../../engine/ports/schema-registry.ts";
import {
  registryModes,
  type ConfigUpdate,
  type RegistryConfig,
  type RegistryMode,
  type RegistrySettingsDesk,
  type SettingScope,
} from "../../../engine/ports/subject-registry.ts";
import { compatibilityLevels } from "../../../schemas/avro/index.ts";
import { refusals } from "./refusals.ts";
import {
  configInScope,
  defaultConfig,
  defaultMode,
  modeInScope,
  refuseReadOnly,
} from "./settings-scope.ts";
import { everySubject, qualified, subjectName, writableName } from "./subject-name.ts";

/** Compatibility levels and modes, on any store. */
export class StoredSettings implements RegistrySettingsDesk {
  readonly #store: RegistryStore;

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  async config({ subject, otherwise }: SettingScope): Promise<RegistryConfig> {
    const name = nameOf(subject);
    if (subject === undefined || otherwise === "inherited") return configInScope(this.#store, name);
    const own = configOf(await this.#store.settings(name));
    if (own === undefined) throw refusals.configUnset(subject);
    return own;
  }

  async setConfig(subject: string | undefined, update: ConfigUpdate): Promise<ConfigUpdate> {
    const compatibility = levelOf(update);
    const name = subject === undefined ? everySubject : writableName(subject, "setting");
    const changed = {
      ...(compatibility === undefined ? {} : { compatibility }),
      ...(update.normalize === undefined ? {} : { normalize: update.normalize }),
    };
    await this.#store.change(name.context, async (change) => {
      await refuseReadOnly(change, name);
      await change.putSettings(name, { ...(await change.settings(name)), ...changed });
    });
    return changed;
  }

  async deleteConfig(subject: string | undefined): Promise<RegistryConfig> {
    const name = nameOf(subject);
    return this.#store.change(name.context, async (change) => {
      const { mode, ...config } = await change.settings(name);
      const before = configOf(config) ?? (subject === undefined ? defaultConfig : undefined);
      if (before === undefined) throw refusals.subjectUnknown(qualified(name));
      await refuseReadOnly(change, name);
      await change.putSettings(name, mode === undefined ? {} : { mode });
      return before;
    });
  }

  async mode({ subject, otherwise }: SettingScope): Promise<RegistryMode> {
    const name = nameOf(subject);
    if (subject === undefined || otherwise === "inherited") return modeInScope(this.#store, name);
    const { mode } = await this.#store.settings(name);
    if (mode === undefined) throw refusals.modeUnset(subject);
    return mode;
  }

  async setMode(
    subject: string | undefined,
    text: string,
    existing: "refused" | "forced",
  ): Promise<RegistryMode> {
    const name = subject === undefined ? everySubject : writableName(subject, "setting");
    const mode = registryModes.find((known) => known === text.toUpperCase());
    if (mode === undefined) throw refusals.modeInvalid();
    await this.#store.change(name.context, async (change) => {
      if (mode === "IMPORT" && existing === "refused") {
        if ((await modeInScope(change, name)) !== "IMPORT" && (await this.#hasSubjects(name))) {
          throw refusals.subjectsExist();
        }
      }
      await change.putSettings(name, { ...(await change.settings(name)), mode });
    });
    return mode;
  }

  async deleteMode(subject: string | undefined): Promise<RegistryMode> {
    const name = nameOf(subject);
    return this.#store.change(name.context, async (change) => {
      const { mode, ...config } = await change.settings(name);
      const before = mode ?? (subject === undefined ? defaultMode : undefined);
      if (before === undefined) throw refusals.subjectUnknown(qualified(name));
      await change.putSettings(name, config);
      return before;
    });
  }

  /** Under the name of a context, or the global one, all its subjects are meant. */
  async #hasSubjects({ context, subject }: SubjectName): Promise<boolean> {
    const found =
      subject === ""
        ? await this.#store.subjects({ context, prefix: "" })
        : await this.#store.versionsOf({ context, subject });
    return found.some(({ deleted }) => !deleted);
  }
}

const nameOf = (subject: string | undefined): SubjectName =>
  subject === undefined ? everySubject : subjectName(subject);

/** What is set of a name's config, if anything; a level that isn't set is the default one. */
function configOf({ compatibility, normalize }: RegistrySettings): RegistryConfig | undefined {
  if (compatibility === undefined && normalize === undefined) return undefined;
  return {
    compatibility: compatibility ?? defaultConfig.compatibility,
    ...(normalize === undefined ? {} : { normalize }),
  };
}

/** @throws RegistryRefusal 42203 */
function levelOf({ compatibility, normalize }: ConfigUpdate): CompatibilityLevel | undefined {
  if (compatibility === undefined && normalize !== undefined) return undefined;
  const level = compatibilityLevels.find((known) => known === compatibility?.toUpperCase());
  if (level === undefined) throw refusals.levelInvalid();
  return level;
}
