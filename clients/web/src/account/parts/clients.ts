// The services that the account and admin pages call, as whoever is signed in.
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AdminService } from "../../gen/ocr_grpc/v1/admin_service_pb.ts";
import { AuthService } from "../../gen/ocr_grpc/v1/auth_service_pb.ts";
import { KeysService } from "../../gen/ocr_grpc/v1/keys_service_pb.ts";
import { OcrService } from "../../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { OrganizationsService } from "../../gen/ocr_grpc/v1/organizations_service_pb.ts";
import { UsageService } from "../../gen/ocr_grpc/v1/usage_service_pb.ts";
import { withSession } from "../../session/interceptor.ts";

// The shared transports also carry streams, which may last; what is called here may not.
const common = { baseUrl: window.location.origin, defaultTimeoutMs: 30_000 };
const transport = createGrpcWebTransport({ ...common, interceptors: [withSession] });

export const admins = createClient(AdminService, transport);
export const auth = createClient(AuthService, transport);
export const keys = createClient(KeysService, transport);
/** Public calls, which need no token and do not wait for one. */
export const ocr = createClient(OcrService, createGrpcWebTransport(common));
export const organizations = createClient(OrganizationsService, transport);
export const usage = createClient(UsageService, transport);
