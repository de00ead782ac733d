// What an administrator changed in a form, as a field mask and new values.
import { create } from "@bufbuild/protobuf";
import { LIMITS, type Values } from "../account/parts/values.ts";
import { type User, UserSchema } from "../gen/ocr_grpc/v1/user_pb.ts";

export interface UserChanges {
  readonly user: User;
  /** The fields that differ from what they were, so that nobody else's change is overwritten. */
  readonly paths: string[];
}

/** Returns the user of a form. */
export function typedUser(values: Values): User {
  return create(UserSchema, {
    userName: values.text("user_name"),
    email: values.text("email"),
    displayName: values.text("display_name"),
    role: values.number("role") ?? 0,
    disabled: values.flag("disabled"),
    limits: values.limits(),
  });
}

/** Returns how a form differs from a user. A limit that was emptied is the role's again. */
export function changesOf(before: User, values: Values): UserChanges {
  const user = typedUser(values);
  const paths = [];
  if (user.userName !== before.userName) paths.push("user_name");
  if (user.email !== before.email) paths.push("email");
  if (user.displayName !== before.displayName) paths.push("display_name");
  if (user.role !== before.role) paths.push("role");
  if (user.disabled !== before.disabled) paths.push("disabled");
  for (const { path, field } of LIMITS) {
    if (user.limits?.[field] !== before.limits?.[field]) paths.push(`limits.${path}`);
  }
  return { user, paths };
}
