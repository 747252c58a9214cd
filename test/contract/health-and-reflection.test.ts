import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "#gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as Alpha } from "#gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { toolPath } from "#test/support/env.ts";
import { run } from "#test/support/rpc-clients.ts";
import { startStubServer } from "#test/support/stub-server.ts";

let server: RpcServer;
let transport: Transport;
beforeAll(async () => {
  server = await startStubServer();
  transport = createGrpcTransport({ baseUrl: `http://${server.address}` });
});
afterAll(() => server.close(0));

const SERVICES = [
  "fraud.v1.FraudService",
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
  "reporting.v1.ReportingService",
];

describe("health", () => {
  test.each(["", ...SERVICES])("says SERVING for '%s'", async (service) => {
    const client = createClient(Health, transport);
    expect((await client.check({ service })).status).toBe(Status.SERVING);
  });

  test("says NOT_FOUND for a service that is not here, and SERVICE_UNKNOWN to who watches it", async () => {
    const client = createClient(Health, transport);
    const error = await client.check({ service: "a.B" }).catch((error: unknown) => error);
    expect(ConnectError.from(error).code).toBe(Code.NotFound);
    for await (const { status } of client.watch({ service: "a.B" })) {
      expect(status).toBe(Status.SERVICE_UNKNOWN);
      break;
    }
  });

  test("lists every service", async () => {
    const { statuses } = await createClient(Health, transport).list({});
    expect(Object.keys(statuses).sort()).toEqual(["", ...SERVICES]);
  });

  test("says NOT_SERVING while the service's own check fails, and tells who watches when it recovers", async () => {
    let works = false;
    const ready = async (): Promise<void> => {
      if (!works) throw new Error("no database");
    };
    await using sick = await startStubServer({}, { ready });
    const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${sick.address}` }));
    expect((await client.check({})).status).toBe(Status.NOT_SERVING);
    expect((await fetch(`http://${sick.address}/readyz`)).status).toBe(503);
    expect((await fetch(`http://${sick.address}/healthz`)).status).toBe(200);
    const seen: Status[] = [];
    for await (const { status } of client.watch({})) {
      seen.push(status);
      works = true;
      if (seen.length === 2) break;
    }
    expect(seen).toEqual([Status.NOT_SERVING, Status.SERVING]);
    expect((await fetch(`http://${sick.address}/readyz`)).status).toBe(200);
  });

  test("a check that hangs counts as one that failed", async () => {
    await using sick = await startStubServer({}, { ready: () => new Promise(() => undefined) });
    expect((await fetch(`http://${sick.address}/readyz`)).status).toBe(503);
  });
});

describe.each([
  ["v1", ServerReflection],
  ["v1alpha", Alpha],
] as const)("reflection %s", (_, service) => {
  type Question = Parameters<typeof ask>[0];

  async function ask(question: {
    case: "listServices" | "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType";
    value: string;
  }) {
    return askAny(question);
  }

  async function askAny(
    messageRequest:
      | Question
      | {
          case: "fileContainingExtension";
          value: { containingType: string; extensionNumber: number };
        }
      | { case: undefined },
  ) {
    // The two versions differ in nothing but the package.
    const client = createClient(service as typeof ServerReflection, transport);
    async function* requests() {
      yield { host: "h", messageRequest };
    }
    for await (const response of client.serverReflectionInfo(requests())) {
      expect(response.validHost).toBe("h");
      expect(response.originalRequest?.messageRequest.case).toBe(messageRequest.case);
      return response.messageResponse;
    }
    throw new Error("no answer");
  }

  async function files(question: Parameters<typeof askAny>[0]): Promise<FileDescriptorProto[]> {
    const answer = await askAny(question);
    if (answer.case !== "fileDescriptorResponse") throw new Error(`got ${answer.case}`);
    return answer.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
  }

  test("lists the services of the port", async () => {
    const answer = await ask({ case: "listServices", value: "*" });
    expect(answer).toMatchObject({
      case: "listServicesResponse",
      value: { service: SERVICES.map((name) => ({ name })) },
    });
  });

  test.each([
    "fraud.v1.FraudService",
    "fraud.v1.FraudService.GetCheck",
    "fraud.v1.Check",
    "fraud.v1.Check.amount",
    "fraud.v1.FraudDecision",
    "fraud.v1.FRAUD_DECISION_PASS",
    "fraud.v1.SubmitDecisionRequest.subject",
    ".fraud.v1.Check",
  ])("finds the file of %s, with all it needs to be understood", async (value) => {
    const found = await files({ case: "fileContainingSymbol", value });
    expect(found[0]?.name).toBe("fraud/v1/fraud.proto");
    // A registry can only be made when no import is missing.
    const file = [...found].reverse();
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: inOrder(file) }));
    expect(registry.getService("fraud.v1.FraudService")?.methods).toHaveLength(
      FraudService.methods.length,
    );
  });

  test("finds a file by its name", async () => {
    const found = await files({ case: "fileByFilename", value: "common/v1/money.proto" });
    expect(found.map(({ name }) => name)).toContain("buf/validate/validate.proto");
  });

  test("finds the details of errors, which no service imports", async () => {
    const value = "google.rpc.ErrorInfo";
    const found = await files({ case: "fileContainingSymbol", value });
    expect(found[0]?.name).toBe("google/rpc/error_details.proto");
  });

  test("finds the file of an extension, and the numbers of all extensions of a message", async () => {
    const containingType = "google.protobuf.MethodOptions";
    const found = await files({
      case: "fileContainingExtension",
      value: { containingType, extensionNumber: 50601 },
    });
    expect(found[0]?.name).toBe("common/v1/access.proto");
    const answer = await ask({ case: "allExtensionNumbersOfType", value: containingType });
    expect(answer).toMatchObject({
      case: "allExtensionNumbersResponse",
      value: { baseTypeName: containingType, extensionNumber: [50601, 72295728] },
    });
  });

  test.each([
    { case: "fileByFilename", value: "no.proto" },
    { case: "fileContainingSymbol", value: "fraud.v1.Nothing" },
    { case: "allExtensionNumbersOfType", value: "fraud.v1.Nothing" },
    {
      case: "fileContainingExtension",
      value: { containingType: "fraud.v1.Check", extensionNumber: 1 },
    },
  ] as const)(
    "says NOT_FOUND to $case of what is not there, and the stream goes on",
    async (question) => {
      expect(await askAny(question)).toMatchObject({
        case: "errorResponse",
        value: { errorCode: Code.NotFound },
      });
    },
  );

  test("says INVALID_ARGUMENT when nothing is asked", async () => {
    expect(await askAny({ case: undefined })).toMatchObject({
      case: "errorResponse",
      value: { errorCode: Code.InvalidArgument },
    });
  });
});

test("grpcurl lists, describes and reads a message with its rules", async () => {
  const grpcurl = (...args: string[]) =>
    run(toolPath("grpcurl"), ["-plaintext", server.address, ...args]);
  expect((await grpcurl("list")).stdout.trim().split("\n")).toEqual(SERVICES);
  expect((await grpcurl("describe", "fraud.v1.FraudService.GetCheck")).stdout).toContain(
    "rpc GetCheck ( .fraud.v1.GetCheckRequest ) returns ( .fraud.v1.GetCheckResponse )",
  );
  expect((await grpcurl("describe", "common.v1.Money")).stdout).toContain("UNSUPPORTED_CURRENCY");
});

test("buf curl lists services and methods", async () => {
  const url = `http://${server.address}`;
  const buf = (flag: string) =>
    run("node_modules/.bin/buf", ["curl", "--http2-prior-knowledge", flag, url]);
  expect((await buf("--list-services")).stdout.trim().split("\n")).toEqual(SERVICES);
  expect((await buf("--list-methods")).stdout).toContain("fraud.v1.FraudService/GetCheck");
});

/** A file set must name each file after its imports. */
function inOrder(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const ordered = new Set<FileDescriptorProto>();
  const add = (file: FileDescriptorProto | undefined): void => {
    if (file === undefined || ordered.has(file)) return;
    for (const name of file.dependency) add(byName.get(name));
    ordered.add(file);
  };
  for (const file of files) add(file);
  return [...ordered];
}
