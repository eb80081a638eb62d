import type { AvroWriter } from "../avro-writer.ts";
import type { Converter } from "./converter.ts";
import { twosComplement } from "./decimal.ts";
import type { ValueModes } from "./value-modes.ts";

/** Decimals that Postgres writes under lc_monetary C. */
const writtenDecimals = 2;

/** Money under lc_monetary C: `-$1,234.56`. */
export function money(mode: ValueModes["decimal"], decimals: number): Converter {
  if (mode === "precise") return preciseMoney(decimals);
  if (mode === "double") return moneyAsDouble;
  return {
    schema: "string",
    write: (to, bytes, start, end) => to.ascii(plainText(bytes, start, end)),
    writeFallback: (to) => to.ascii(decimals > 0 ? `0.${"0".repeat(decimals)}` : "0"),
  };
}

const moneyAsDouble: Converter = {
  schema: "double",
  write: (to, bytes, start, end) => to.double(Number(plainText(bytes, start, end))),
  writeFallback: (to) => to.double(0),
};

function preciseMoney(decimals: number): Converter {
  return {
    schema: {
      type: "bytes",
      scale: decimals,
      precision: 64,
      "connect.version": 1,
      "connect.parameters": { scale: `${decimals}` },
      "connect.name": "org.apache.kafka.connect.data.Decimal",
      logicalType: "decimal",
    },
    write: (to, bytes, start, end) => {
      const cents = BigInt(plainText(bytes, start, end).replace(".", ""));
      to.bytes(twosComplement(rescaled(cents, decimals)));
    },
    writeFallback: (to: AvroWriter) => to.bytes(twosComplement(0n)),
  };
}

function plainText(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("latin1", start, end).replace(/[^-0-9.]/g, "");
}

/** Fewer decimals are rounded half away from zero. */
function rescaled(cents: bigint, decimals: number): bigint {
  if (decimals >= writtenDecimals) return cents * 10n ** BigInt(decimals - writtenDecimals);
  const unit = 10n ** BigInt(writtenDecimals - decimals);
  const half = unit / 2n;
  return (cents < 0n ? cents - half : cents + half) / unit;
}
