import { type MeasuredInstance, queryRows, waitUntil } from "./_instance.ts";

interface Registered {
  /** Of the modules that were registered for. */
  readonly codes: readonly string[];
  /** By registration. */
  readonly accepted: { readonly size: number; has(registrationId: string): boolean };
}

/** Waits until the read model has every accepted registration. @throws Error for any other. */
export const untilRegistered = (
  instance: MeasuredInstance,
  { codes, accepted }: Registered,
): Promise<void> =>
  waitUntil("the read model holds every accepted registration", async () => {
    const rows = await queryRows<{ registration_id: string }>(
      instance,
      `select registration_id from read."registrations"
       where module_code = any ($1) and status = 'completed'`,
      [codes],
    );
    if (rows.some((row) => !accepted.has(row.registration_id))) {
      throw new Error("The read model has a registration that nobody was given.");
    }
    return rows.length === accepted.size;
  });
