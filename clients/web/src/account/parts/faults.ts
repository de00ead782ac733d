// Which field of a form an error of the service is about.
import { ConnectError } from "@connectrpc/connect";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { problemOf } from "../../shared/errors.ts";

/** Fields that reasons without a `BadRequest` are about, by their names in the protos. */
const FIELDS: Readonly<Record<string, string>> = {
  USER_NAME_TAKEN: "user_name",
  EMAIL_TAKEN: "email",
  EMAIL_MISSING: "email",
  INVITE_REQUIRED: "invite_code",
  INVITE_INVALID: "invite_code",
  MAIL_TOKEN_INVALID: "token",
  LOGIN_FAILED: "old_password",
};

/**
 * Returns what is wrong with fields of a form, by their names; empty if it is not about fields.
 *
 * A violation names a path such as `key.expire_time`; fields are named by its last part.
 */
export function faultsOf(
  error: unknown,
  has: (name: string) => boolean,
): Readonly<Record<string, string>> {
  const { reason, sentence } = problemOf(error);
  const found: Record<string, string> = {};
  for (const { fieldViolations } of ConnectError.from(error).findDetails(BadRequestSchema)) {
    for (const { field, description } of fieldViolations) {
      const name = field.split(".").at(-1) ?? "";
      if (has(name)) found[name] = description || sentence;
    }
  }
  const field = FIELDS[reason];
  if (field && has(field)) found[field] ??= sentence;
  return found;
}
