import { expect, test } from "vitest";

import { projectionPipeline } from "../../engine/task/pipeline.ts";
import { taskLimits } from "../../engine/task/limits.ts";
import type { AnyEventType } from "../../engine/topic.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";

test("a projection's records are decoded to the fields that its folds and its key read", () => {
  const asked: AnyEventType[] = [];
  class AskedCodec extends JsonCodec {
    override events(types: readonly AnyEventType[]) {
      asked.push(...types);
      return super.events(types);
    }
  }
  projectionPipeline(seatAvailability, { codec: new AskedCodec(), limits: taskLimits() });
  const fields = asked.map(({ name, schema }) => [name, schema.fields.map((field) => field.name)]);
  expect(Object.fromEntries(fields)).toMatchObject({
    ModuleCapacityChanged: ["moduleCode", "capacity"],
    RegistrationCompleted: ["moduleCode"],
  });
});
