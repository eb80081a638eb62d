import { verdictsSetting } from "./event-store/call-verdicts.ts";

/**
 * Declared in a function that stands behind an append: the verdicts that it was told, one for each
 * request. Text of the setting is walked from its first character for each look (`was_appended`),
 * which makes a call with thousands of parts the square of it; an array is walked once.
 */
export const toldVerdicts = `told text[] := string_to_array(current_setting('${verdictsSetting}', true), null);`;

/** As `refold.was_appended`, by the array. @param request An expression. */
export const wasAppended = (request: string): string =>
  `coalesce(told[${request}], '') in ('', '0', '1')`;

/** As `refold.was_written`, likewise. */
export const wasWritten = (request: string): string =>
  `coalesce(told[${request}], '') in ('', '0')`;
