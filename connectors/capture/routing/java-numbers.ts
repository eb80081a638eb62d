/**
 * Floating point numbers as Java's `Double.toString` and `Float.toString` write them: the shortest
 * digits that give the number again, plain between 0.001 and 10,000,000, otherwise `1.5E-7`.
 */
export function javaDouble(value: number): string {
  return javaText(value, String(Math.abs(value)));
}

export function javaFloat(value: number): string {
  return javaText(value, shortestFloat(Math.abs(value)));
}

/** The fewest digits that give the same single-precision number. */
function shortestFloat(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

function javaText(value: number, magnitude: string): string {
  if (Number.isNaN(value)) return "NaN";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (!Number.isFinite(value)) return `${sign}Infinity`;
  if (value === 0) return `${sign}0.0`;
  const { digits, exponent } = decompose(magnitude);
  if (exponent >= -3 && exponent < 7) return sign + plain(digits, exponent);
  return `${sign}${digits.slice(0, 1)}.${digits.slice(1) || "0"}E${exponent}`;
}

/** Significant digits and the exponent of the first of them. */
function decompose(magnitude: string): { digits: string; exponent: number } {
  const [mantissa = "", power = "0"] = magnitude.split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const all = whole + fraction;
  const leading = all.length - all.replace(/^0+/, "").length;
  const digits = all.slice(leading).replace(/0+$/, "");
  return { digits: digits === "" ? "0" : digits, exponent: whole.length - 1 - leading + +power };
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${whole}.${digits.slice(exponent + 1) || "0"}`;
}
