import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Values } from "../account/parts/values.ts";
import { Role, UserSchema } from "../gen/ocr_grpc/v1/user_pb.ts";
import { changesOf } from "./user-changes.ts";

const BEFORE = create(UserSchema, {
  userName: "ann",
  email: "ann@example.com",
  role: Role.USER,
  limits: { pagesPerMonth: 10, callsPerMinute: 5 },
});

const UNCHANGED = {
  user_name: "ann",
  email: "ann@example.com",
  display_name: "",
  role: "1",
  calls_per_minute: "5",
  pages_per_month: "10",
  concurrent_streams: "",
};

function changed(fields: Record<string, string>) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...UNCHANGED, ...fields })) form.set(name, value);
  return changesOf(BEFORE, new Values(form));
}

describe("what an administrator changed", () => {
  it("is nothing if all is as it was", () => {
    expect(changed({}).paths).toEqual([]);
  });

  it("is a single limit, also if it was emptied or set to none", () => {
    const emptied = changed({ pages_per_month: "" });
    expect(emptied.paths).toEqual(["limits.pages_per_month"]);
    expect(emptied.user.limits?.pagesPerMonth).toBeUndefined();
    const none = changed({ pages_per_month: "0" });
    expect(none.paths).toEqual(["limits.pages_per_month"]);
    expect(none.user.limits?.pagesPerMonth).toBe(0);
  });

  it("is what the form says otherwise", () => {
    const { user, paths } = changed({ role: "3", email: "", disabled: "on" });
    expect(paths).toEqual(["email", "role", "disabled"]);
    expect([user.role, user.email, user.disabled]).toEqual([Role.ADMIN, "", true]);
  });
});
