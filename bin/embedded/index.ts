/**
 * The embedded default for a domain of one's own, in one process and one folder; all that the
 * application of this package uses, without the application.
 */
export { Embedded } from "./embedded.ts";
export type { EmbeddedOptions } from "./options.ts";
