import type { RecordedEvent } from "../scenario.ts";

const markId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-(open|close)/g;
const markTime = /(WindowTimestamp[\\": ]+)[0-9TZ:.-]+/g;

/**
 * Rows of the signal table that mark the chunks of an incremental snapshot have random ids and the
 * time in them: each id becomes the number of its window, which both of its marks share.
 */
export function withNumberedWindows(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const windows = new Map<string, number>();
  const numbered = (id: string, end: string): string => {
    const window = id.slice(0, 36);
    const number = windows.get(window) ?? windows.size + 1;
    windows.set(window, number);
    return `window ${number}-${end}`;
  };
  return events.map((event) => {
    const text = JSON.stringify({ key: event.key, value: event.value });
    if (!text.includes("WindowTimestamp") && text.search(markId) < 0) return event;
    const told = text.replace(markId, numbered).replace(markTime, "$1a time");
    const { key, value } = JSON.parse(told) as Pick<RecordedEvent, "key" | "value">;
    return { ...event, key, value, keyAvro: null };
  });
}
