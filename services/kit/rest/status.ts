import {
  create,
  createRegistry,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type JsonValue,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { Code, type ConnectError } from "@connectrpc/connect";
import { file_buf_validate_validate } from "#gen/buf/validate/validate_pb.ts";
import {
  ErrorInfoSchema,
  file_google_rpc_error_details,
  RetryInfoSchema,
} from "#gen/google/rpc/error_details_pb.ts";

/** An error as REST answers it (AIP-193). */
export interface RestError {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `{"error": {"code", "message", "status", "details"}}`. */
  readonly body: JsonObject;
}

/** HTTP status of each code, as google/rpc/code.proto gives it. */
const HTTP_STATUS: Readonly<Record<Code, number>> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

/** Reasons that HTTP has a status of its own for. */
const HTTP_STATUS_OF_REASON: Readonly<Record<string, number>> = {
  BODY_TOO_SLOW: 408,
  MESSAGE_TOO_LARGE: 413,
  METHOD_NOT_ALLOWED: 405,
  PATH_UNKNOWN: 404,
  UNSUPPORTED_MEDIA_TYPE: 415,
};

const details = createRegistry(file_google_rpc_error_details, file_buf_validate_validate);

/** The HTTP status that belongs to a reason, where it is not that of its code. */
export function statusOfReason(reason: string): number | undefined {
  return HTTP_STATUS_OF_REASON[reason];
}

/** Name of a code as google.rpc.Code spells it: `INVALID_ARGUMENT`. */
export function codeName(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return Code[code].replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** The error as REST answers it: HTTP status, headers and a body in proto3 JSON. */
export function restError(error: ConnectError): RestError {
  const list = error.details.map((detail) => detailJson(detail));
  const reason = textOf(find(list, ErrorInfoSchema), "reason") ?? "";
  const httpStatus = HTTP_STATUS_OF_REASON[reason] ?? HTTP_STATUS[error.code];
  return {
    httpStatus,
    headers: headersFor(httpStatus, textOf(find(list, RetryInfoSchema), "retryDelay")),
    body: {
      error: {
        code: httpStatus,
        message: error.rawMessage,
        status: codeName(error.code),
        ...(list.length > 0 ? { details: list } : {}),
      },
    },
  };
}

/** `Retry-After` counts whole seconds: a delay below one becomes one. */
function headersFor(httpStatus: number, retryDelay: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  if (retryDelay !== undefined) {
    headers["retry-after"] = String(Math.max(1, Math.ceil(Number.parseFloat(retryDelay))));
  }
  if (httpStatus === 401) headers["www-authenticate"] = "Bearer";
  return headers;
}

/** A detail as `google.protobuf.Any` in JSON; one of an unknown type keeps its bytes. */
function detailJson(detail: ConnectError["details"][number]): JsonObject {
  if ("desc" in detail) return any(detail.desc, create(detail.desc, detail.value), details);
  const desc = details.getMessage(detail.type);
  if (desc === undefined) return unknownDetail(detail.type, detail.value);
  try {
    return any(desc, fromBinary(desc, detail.value), details);
  } catch {
    return unknownDetail(detail.type, detail.value);
  }
}

function any(
  desc: DescMessage,
  message: ReturnType<typeof create>,
  registry: Registry,
): JsonObject {
  const json = toJson(desc, message, { registry });
  const fields = typeof json === "object" && json !== null && !Array.isArray(json);
  return { "@type": typeUrl(desc.typeName), ...(fields ? json : { value: json }) };
}

function unknownDetail(typeName: string, value: Uint8Array): JsonObject {
  return { "@type": typeUrl(typeName), value: base64Encode(value) };
}

function typeUrl(typeName: string): string {
  return `type.googleapis.com/${typeName}`;
}

function find(list: readonly JsonObject[], desc: DescMessage): JsonObject | undefined {
  return list.find((detail) => detail["@type"] === typeUrl(desc.typeName));
}

function textOf(json: JsonObject | undefined, key: string): string | undefined {
  const value: JsonValue | undefined = json?.[key];
  return typeof value === "string" ? value : undefined;
}
