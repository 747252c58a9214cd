import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UpdateSettingsRequestSchema } from "#gen/fraud/v1/fraud_pb.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { fromGrpcJs, type WireError } from "#test/support/rpc-clients.ts";
import { startStubServer } from "#test/support/stub-server.ts";

let server: RpcServer;
let client: Client;

beforeAll(async () => {
  server = await startStubServer();
  client = new Client(server.address, credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await server.close(0);
});

const settings: MessageInitShape<typeof UpdateSettingsRequestSchema> = {
  settings: {
    amountLimits: Array.from({ length: 150 }, () => ({ currencyCode: "é".repeat(100) })),
  },
};

describe("a message with more mistakes than trailers can name", () => {
  test("is refused with the first of them, by a client that keeps 8 KiB for trailers", async () => {
    const error = await refused(
      "UpdateSettings",
      toBinary(UpdateSettingsRequestSchema, create(UpdateSettingsRequestSchema, settings)),
    );
    expect(error).toMatchObject({ code: Code.InvalidArgument, reason: "UNSUPPORTED_CURRENCY" });
    expect(error.fields.length).toBeGreaterThan(0);
    expect(error.message).toMatch(/and 142 more$/);
  });
});

function refused(method: string, bytes: Uint8Array): Promise<WireError> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/fraud.v1.FraudService/${method}`,
      (message: Buffer) => message,
      (answer) => answer,
      Buffer.from(bytes),
      (error: ServiceError | null) =>
        error ? resolve(fromGrpcJs(error)) : reject(new Error("not refused")),
    );
  });
}
