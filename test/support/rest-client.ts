import {
  create,
  type DescMessage,
  type DescMethod,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageInitShape,
  toJson,
} from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { bindingsOf, fillTemplate, queryFields } from "#tools/docs/api/bindings.ts";
import { run, type WireClient, wireErrorOfStatus } from "./rpc-clients.ts";

/** The HTTP routes of google.api.http by curl: what a caller without any protobuf uses. */
export function restByCurl(baseUrl: string): WireClient {
  return {
    name: "REST",
    close: () => undefined,
    async call(method, input) {
      const { status, text } = await ask(baseUrl, method, input);
      const body: JsonValue = JSON.parse(text);
      if (status === 200) return { ok: true, message: fromJson(method.output, body) };
      const error = objectOf(objectOf(body)["error"] ?? {});
      // The number is that of HTTP; the name is that of gRPC.
      const code = codeFromString(String(error["status"]).toLowerCase()) ?? Code.Unknown;
      return wireErrorOfStatus({ ...error, code });
    },
    async stream(method, input) {
      const { text } = await ask(baseUrl, method, input);
      return text
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line));
    },
  };
}

async function ask<I extends DescMessage>(
  baseUrl: string,
  method: DescMethod & { readonly input: I },
  input: MessageInitShape<I>,
): Promise<{ readonly status: number; readonly text: string }> {
  const [binding] = bindingsOf(method);
  if (!binding) throw new Error(`${method.name} has no route`);
  const json = objectOf(toJson(method.input, create(method.input, input)));
  const jsonName = (name: string): string =>
    method.input.fields.find((field) => field.name === name)?.jsonName ?? name;
  const path = fillTemplate(binding.template, (name) =>
    encodeURIComponent(String(json[jsonName(name)] ?? "")),
  );
  const query = queryFields(binding)
    .filter((field) => json[field.jsonName] !== undefined)
    .map((field) => `${field.name}=${encodeURIComponent(String(json[field.jsonName]))}`);
  const body = binding.body === "*" ? json : json[jsonName(binding.body)];
  const { stdout } = await run("curl", [
    ...["--silent", "--show-error", "--max-time", "30", "--write-out", "\n%{http_code}"],
    ...["--request", binding.verb.toUpperCase()],
    ...(binding.body === "" ? [] : ["--json", JSON.stringify(body ?? {})]),
    `${baseUrl}${path}${query.length > 0 ? `?${query.join("&")}` : ""}`,
  ]);
  const cut = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(cut + 1)), text: stdout.slice(0, cut) };
}

function objectOf(value: JsonValue): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("a request is an object");
  return value;
}
