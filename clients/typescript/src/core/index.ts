// What both entries export.
export { Code } from "@connectrpc/connect";
export {
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as HealthStatus,
} from "../gen/grpc/health/v1/health_pb.js";
export * from "../gen/index.js";
export { serviceConfig } from "../gen/service_config.js";
export { Assembler, type ReadDocument, type ReadPage } from "./assembler.js";
export type {
  BatchSettings,
  CallSettings,
  DownloadSettings,
  UploadSettings,
  WatchSettings,
} from "./batches.js";
export type { Caller } from "./client.js";
export { type FieldViolation, OcrError, type QuotaViolation } from "./errors.js";
export type { ExtractSettings } from "./extraction.js";
export { type ExtractEvent, type Options, SourceError } from "./sending.js";
export type { TokenStore, Tokens } from "./session.js";
