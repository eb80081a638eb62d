const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** `1.2 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let at = 0;
  while (value >= 1_000 && at < units.length - 1) {
    value /= 1_000;
    at += 1;
  }
  return `${at === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[at] ?? ""}`;
}

/** `0.8 s`, `2 min 5 s`, `3 h 7 min`. */
export function secondsText(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `12,345 events`. */
export const countText = (count: number, of: string): string =>
  `${count.toLocaleString("en-US")} ${of}${count === 1 ? "" : "s"}`;
