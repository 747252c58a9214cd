import { describe, expect, test } from "vitest";
import { clampDeadline } from "#kit/rpc/deadline.ts";

const LIMIT_MS = 30_000;

function clamp(headers: Record<string, string>) {
  const header = new Headers(headers);
  const clamped = clampDeadline(header, LIMIT_MS);
  return { clamped, value: header.get("grpc-timeout") ?? header.get("connect-timeout-ms") };
}

describe("gRPC and gRPC-Web", () => {
  test.each(["application/grpc", "application/grpc+proto", "application/grpc-web+json"])(
    "%s without a deadline gets the server's",
    (type) => {
      expect(clamp({ "content-type": type })).toEqual({ clamped: true, value: "30000m" });
    },
  );

  test.each(["1H", "31S", "30001m", "99999999S"])("%s is shortened", (value) => {
    const headers = { "content-type": "application/grpc", "grpc-timeout": value };
    expect(clamp(headers)).toEqual({ clamped: true, value: "30000m" });
  });

  test.each(["30S", "1m", "99999999u", "0n", "soon", "-1S", "123456789S"])(
    "%s stays: it is short enough, or not a deadline and refused later",
    (value) => {
      const headers = { "content-type": "application/grpc", "grpc-timeout": value };
      expect(clamp(headers).value).toBe(value === "99999999u" ? "30000m" : value);
    },
  );
});

describe("Connect", () => {
  test("without a deadline gets the server's, also for GET", () => {
    expect(clamp({})).toEqual({ clamped: true, value: "30000" });
    expect(clamp({ "content-type": "application/json" })).toEqual({
      clamped: true,
      value: "30000",
    });
  });

  test.each([
    ["30001", "30000"],
    ["9999999999", "30000"],
    ["30000", "30000"],
    ["5", "5"],
    ["x", "x"],
  ])("%s becomes %s", (value, expected) => {
    expect(clamp({ "connect-timeout-ms": value }).value).toBe(expected);
  });
});
