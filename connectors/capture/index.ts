export { EmbeddedCapture } from "./embedded-capture.ts";
export {
  dropCapture,
  preparePublication,
  takeCapture,
  yieldCapture,
  type HandOverOptions,
} from "./hand-over/hand-over.ts";
export { LogCaptureSink, type LogCaptureSinkOptions } from "./log-sink.ts";
export { migrations } from "./migrations.ts";
export {
  defaultCaptureLimits,
  type CaptureLimits,
  type CaptureOptions,
  type CapturedTable,
} from "./options.ts";
export { PostgresCaptureSink, type PostgresCaptureSinkOptions } from "./postgres-sink.ts";
export { recapture, type Recaptured, type RecaptureOptions } from "./repair/recapture.ts";
export { republish, type Republished, type RepublishOptions } from "./repair/republish.ts";
export { republishToLog, type RepublishToLogOptions } from "./repair/republish-to-log.ts";
export { repairCapture, type Repaired, type RepairOptions } from "./repair/repair.ts";
export { captureStatus, type CaptureStatus } from "./repair/status.ts";
