import type { AvroWriter } from "../avro-writer.ts";
import { unrepresentable, type Converter } from "./converter.ts";

const wkbBytes = 21;
const littleEndian = 1;
const pointGeometry = 1;
const shape = /^\(([^,]+),([^,]+)\)$/;

/** A point of the plane: its coordinates, and the same as well-known binary. */
export const point: Converter = {
  schema: {
    type: "record",
    name: "Point",
    namespace: "io.debezium.data.geometry",
    fields: [
      { name: "x", type: "double" },
      { name: "y", type: "double" },
      { name: "wkb", type: ["null", "bytes"], default: null },
      { name: "srid", type: ["null", "int"], default: null },
    ],
    "connect.doc": "Geometry (POINT)",
    "connect.version": 1,
    "connect.name": "io.debezium.data.geometry.Point",
  },
  write: (to, bytes, start, end) => {
    const text = bytes.toString("latin1", start, end);
    const [, x, y] = shape.exec(text) ?? [];
    if (x === undefined || y === undefined) throw unrepresentable(text, "point");
    writePoint(to, Number(x), Number(y));
  },
  writeFallback: (to) => writePoint(to, 0, 0),
};

function writePoint(to: AvroWriter, x: number, y: number): void {
  const wkb = Buffer.alloc(wkbBytes);
  wkb.writeUInt8(littleEndian, 0);
  wkb.writeUInt32LE(pointGeometry, 1);
  wkb.writeDoubleLE(x, 5);
  wkb.writeDoubleLE(y, 13);
  to.double(x);
  to.double(y);
  to.byte(2);
  to.bytes(wkb);
  // No reference system.
  to.byte(0);
}
