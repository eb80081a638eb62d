/** What a lock file of npm has of each package, by its path from the lock file's folder. */
export interface LockedPackages {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly optional?: boolean }>
  >;
}

const modules = "node_modules/";

/** Versions of the packages at the top, by name. */
export const versionsIn = ({ packages }: LockedPackages): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(packages).flatMap(([path, { version }]) =>
      path.lastIndexOf(modules) === 0 && version !== undefined
        ? [[path.slice(modules.length), version] as const]
        : [],
    ),
  );

/**
 * Whether everything that a lock file names is there in its version, by the lock file that npm keeps
 * of what it has installed: it writes that last, so a broken installation has none. Optional packages
 * may be missing where they don't fit the machine.
 */
export const installedIn = (there: LockedPackages, locked: LockedPackages): boolean =>
  Object.entries(locked.packages).every(
    ([path, { version, optional }]) =>
      !path.startsWith(modules) || optional === true || there.packages[path]?.version === version,
  );
