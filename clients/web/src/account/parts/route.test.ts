import { describe, expect, it } from "vitest";
import { nextPath } from "./route.ts";

function nextOf(value: string): string | null {
  return nextPath(new URLSearchParams({ next: value }));
}

describe("where one goes after signing in", () => {
  it("is a page of this site", () => {
    expect(nextOf("/admin")).toBe("/admin");
    expect(nextOf("/admin#users")).toBe("/admin#users");
    expect(nextOf("/")).toBe("/");
  });

  it.each([
    "",
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/%2f/evil.example",
    "javascript:alert(1)",
    "/admin\n//evil.example",
  ])("is nowhere else: %j", (value) => {
    expect(nextOf(value)).toBeNull();
  });
});
