import type { RegistryView, SubjectName } from "../../../engine/ports/registry-store.ts";
import type { RegistryConfig, RegistryMode } from "../../../engine/ports/subject-registry.ts";
import { refusals } from "./refusals.ts";
import { defaultContext, qualified } from "./subject-name.ts";

export const defaultConfig: RegistryConfig = { compatibility: "BACKWARD" };
export const defaultMode: RegistryMode = "READWRITE";

type Settings = Pick<RegistryView, "settings">;

/** The subject's own, else its context's, else the default. In the default context: the global. */
export async function configInScope(view: Settings, name: SubjectName): Promise<RegistryConfig> {
  const own = await view.settings(name);
  const around = await view.settings({ ...name, subject: "" });
  const normalize = own.normalize ?? around.normalize;
  return {
    compatibility: own.compatibility ?? around.compatibility ?? defaultConfig.compatibility,
    ...(normalize === undefined ? {} : { normalize }),
  };
}

/** As `configInScope`, but READONLY_OVERRIDE, set globally or for the context, goes before all. */
export async function modeInScope(view: Settings, name: SubjectName): Promise<RegistryMode> {
  const everywhere = await view.settings({ context: defaultContext, subject: "" });
  const around = await view.settings({ ...name, subject: "" });
  const override = [everywhere.mode, around.mode].find((mode) => mode === "READONLY_OVERRIDE");
  if (override !== undefined) return override;
  const own = await view.settings(name);
  return own.mode ?? around.mode ?? defaultMode;
}

/** @throws RegistryRefusal 42205 */
export async function refuseReadOnly(view: Settings, name: SubjectName): Promise<RegistryMode> {
  const mode = await modeInScope(view, name);
  if (mode === "READONLY" || mode === "READONLY_OVERRIDE") {
    throw refusals.readOnly(qualified(name));
  }
  return mode;
}
