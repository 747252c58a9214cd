import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { developmentAuthority } from "#kit/auth/authority.ts";
import { createLog } from "#kit/log.ts";
import { Refusal } from "#kit/refusal.ts";
import { type RpcServer, startRpcServer } from "#kit/rpc/server.ts";
import { runCommand } from "./run-command.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const MODULES = { version: "v2", modules: [{ path: "proto" }, { path: "test/fixtures/rest" }] };

/** A call that reached a handler. */
export interface SeenCall {
  readonly rpc: string;
  readonly message: JsonValue;
  readonly header: Headers;
  readonly timeoutMs: number | undefined;
}

/** A port that serves test/fixtures/rest; its handlers answer with what they were asked. */
export interface Example extends AsyncDisposable {
  readonly server: RpcServer;
  /** Oldest first. */
  readonly seen: SeenCall[];
}

/** Compiles the fixture and serves it. A request with `note` or `text` "refuse" is refused. */
export async function startExample(): Promise<Example> {
  const service = await exampleService();
  const seen: SeenCall[] = [];
  const note = (method: DescMethod, message: Message, context: HandlerContext): void => {
    const json = toJson(method.input, message);
    seen.push({
      rpc: method.name,
      message: json,
      header: context.requestHeader,
      timeoutMs: context.timeoutMs(),
    });
    if (/"(note|text)":"refuse"/.test(JSON.stringify(json))) {
      throw new Refusal("BUSY", { metadata: { who: "example" }, retryAfterMs: 1_500 });
    }
  };
  const server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    services: [service],
    routes: (router) => {
      router.service(service, handlers(service, note));
    },
    reasons: { BUSY: { status: "RESOURCE_EXHAUSTED", retryable: true, message: "Too busy." } },
    log: createLog("silent"),
    security: { authority: developmentAuthority() },
  });
  return { server, seen, [Symbol.asyncDispose]: () => server.close(0) };
}

function handlers(
  service: DescService,
  note: (method: DescMethod, message: Message, context: HandlerContext) => void,
) {
  return Object.fromEntries(
    service.methods.map((method) => {
      if (method.methodKind === "server_streaming") return [method.localName, counting(method)];
      const echo = (message: Message, context: HandlerContext): Message => {
        note(method, message, context);
        if (method.name !== "GetNumber") return message;
        return create(method.output);
      };
      return [method.localName, echo];
    }),
  );
}

function counting(method: DescMethod) {
  return async function* (request: Message) {
    const json = JSON.stringify(toJson(method.input, request));
    const to = Number(/"to":(\d+)/.exec(json)?.[1] ?? 0);
    const failAt = Number(/"failAt":(\d+)/.exec(json)?.[1] ?? -1);
    for (let n = 1; n <= to; n++) {
      if (n === failAt) throw new Refusal("BUSY");
      yield fromJson(method.output, { name: String(n) });
    }
  };
}

async function exampleService(): Promise<DescService> {
  const folder = await mkdtemp(path.join(tmpdir(), "settle-rest-"));
  try {
    const file = path.join(folder, "example.binpb");
    const buf = path.join(ROOT, "node_modules/.bin/buf");
    const { exitCode, stderr } = await runCommand(
      [buf, "build", "--config", JSON.stringify(MODULES), "-o", file],
      { cwd: ROOT },
    );
    if (exitCode !== 0) throw new Error(stderr);
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, await readFile(file)));
    const service = registry.getService("example.v1.ExampleService");
    if (service === undefined) throw new Error("the fixture has no ExampleService");
    return service;
  } finally {
    await rm(folder, { recursive: true });
  }
}
