/** Presentations begin on 1 February (B) or 1 October (J) of their year. */
const startMonth = { B: 1, J: 9 } as const;
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const registrationHour = 9;
const withdrawalHour = 17;

/** UTC midnight of a presentation's first day (`2013J`), or undefined when it is none. */
export function presentationStartMs(presentation: string): number | undefined {
  const match = /^(\d{4})([BJ])$/.exec(presentation);
  if (!match) return undefined;
  return Date.UTC(Number(match[1]), startMonth[match[2] as "B" | "J"], 1);
}

/** When a registration of that day (relative to the start) falls. */
export const registrationMs = (startMs: number, day: number): number =>
  startMs + day * dayMs + registrationHour * hourMs;

/** When a withdrawal of that day falls. */
export const withdrawalMs = (startMs: number, day: number): number =>
  startMs + day * dayMs + withdrawalHour * hourMs;

/** When the modules are offered: a day before the first event of all. */
export const offeredMs = (firstEventMs: number): number => firstEventMs - dayMs;
