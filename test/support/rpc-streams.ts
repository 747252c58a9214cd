import { execFile } from "node:child_process";
import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJson,
  toJsonString,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { Client } from "@grpc/grpc-js";

/** Calls a server stream and answers its messages as JSON, in proto or camel case as the client has it. */
export type StreamCall = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  input: MessageInitShape<I>,
) => Promise<readonly unknown[]>;

/** By a transport of Connect. */
export function streamByTransport(transport: Transport): StreamCall {
  return async (method, input) => {
    const once = async function* () {
      yield input;
    };
    const response = await transport.stream(method, undefined, undefined, undefined, once());
    return (await all(response.message)).map((message) => toJson(method.output, message));
  };
}

/** By the plain client of gRPC. */
export function streamByGrpcJs(client: Client): StreamCall {
  return async (method, input) => {
    const stream = client.makeServerStreamRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: MessageShape<typeof method.input>) => Buffer.from(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, input),
    );
    const messages: MessageShape<typeof method.output>[] = await all(stream);
    return messages.map((message) => toJson(method.output, message));
  };
}

/** By curl, with the five bytes that frame a message of the Connect protocol put before the JSON. */
export function streamByCurl(baseUrl: string, options: readonly string[]): StreamCall {
  return async (method, input) => {
    const json = Buffer.from(toJsonString(method.input, create(method.input, input)));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(json.length, 1);
    const answer = await bytesOf(
      "curl",
      [
        ...["--silent", "--show-error", "--max-time", "30", ...options],
        ...["--header", "content-type: application/connect+json", "--data-binary", "@-"],
        `${baseUrl}/${method.parent.typeName}/${method.name}`,
      ],
      Buffer.concat([head, json]),
    );
    return framesOf(answer);
  };
}

/** By a tool that prints one JSON after the other: `args` end with what names the RPC. */
export function streamByTool(
  file: string,
  args: (rpc: string, body: string) => readonly string[],
): StreamCall {
  return async (method, input) => {
    const rpc = `${method.parent.typeName}/${method.name}`;
    const body = toJsonString(method.input, create(method.input, input));
    const text = (await bytesOf(file, args(rpc, body))).toString();
    return JSON.parse(`[${text.trim().replaceAll(/\}\s*\n\s*\{/g, "},{")}]`);
  };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Messages of a framed answer; the last frame, marked by bit 2, says how it ended. */
function framesOf(answer: Buffer): unknown[] {
  const messages: unknown[] = [];
  for (let at = 0; at < answer.length; ) {
    const end = at + 5 + answer.readUInt32BE(at + 1);
    const body: unknown = JSON.parse(answer.subarray(at + 5, end).toString());
    if ((answer[at] ?? 0) & 2) {
      if (JSON.stringify(body).includes("error")) throw new Error(JSON.stringify(body));
    } else messages.push(body);
    at = end;
  }
  return messages;
}

function bytesOf(file: string, args: readonly string[], input = Buffer.alloc(0)): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { timeout: 40_000, maxBuffer: 2 ** 26, encoding: "buffer" } as const;
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${file}: ${stderr.toString()}`, { cause: error }));
      else resolve(stdout);
    });
    child.stdin?.end(input);
  });
}
