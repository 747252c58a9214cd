import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { makeAnyClient, type Transport } from "@connectrpc/connect";
import { SettleError, toSettleError } from "./errors.ts";
import type { CallOptions, RetryPolicy } from "./options.ts";
import { type Pages, withPages } from "./pages.ts";
import { isRepeatable, withKey } from "./repeatable.ts";
import { withRetries } from "./retry.ts";

/** A unary RPC as a function. */
export type UnaryCall<I extends DescMessage, O extends DescMessage> = (
  request: MessageInitShape<I>,
  options?: CallOptions,
) => Promise<MessageShape<O>>;

/** A list RPC: one page when called, all of them by `pages`, all that stands on them by `all`. */
export type ListCall<I extends DescMessage, O extends DescMessage> = UnaryCall<I, O> & Pages<I, O>;

/** A service's RPCs as functions: unary ones answer a promise, streams an async iterable. */
export type ServiceClient<S extends DescService> = {
  readonly [M in keyof S["method"]]: S["method"][M] extends DescMethodUnary<infer I, infer O>
    ? MessageShape<O> extends { readonly nextPageToken: string }
      ? ListCall<I, O>
      : UnaryCall<I, O>
    : S["method"][M] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never;
};

/** What every call of a client has in common. */
export interface CallDefaults {
  readonly timeoutMs: number;
  readonly policy: RetryPolicy;
}

/** A service over a transport: keys set, safe calls tried again, errors with a reason. */
export function createServiceClient<S extends DescService>(
  service: S,
  transport: Transport,
  defaults: CallDefaults,
): ServiceClient<S> {
  const client = makeAnyClient(service, (method) => {
    switch (method.methodKind) {
      case "unary":
        return withPages(method, (request, options) =>
          callUnary(transport, defaults, method, request, options),
        );
      case "server_streaming":
        return (request: MessageInitShape<DescMessage>, options?: CallOptions) =>
          callStream(transport, method, request, options);
      default:
        throw new Error(`${method.name}: no RPC of Settle streams requests`);
    }
  });
  // Descriptors enter here; the type is computed from the same descriptor.
  return client as ServiceClient<S>;
}

function callUnary<I extends DescMessage, O extends DescMessage>(
  transport: Transport,
  { timeoutMs, policy }: CallDefaults,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  options: CallOptions = {},
): Promise<MessageShape<O>> {
  const message = withKey(method.input, request);
  const { signal, headers } = options;
  return withRetries(
    async (remainingMs) =>
      // Each try is told what is left, so that a server does not work for a caller who is gone.
      (await transport.unary(method, signal, remainingMs, headers, message)).message,
    {
      policy,
      timeoutMs: options.timeoutMs ?? timeoutMs,
      isRepeatable: isRepeatable(method),
      signal,
    },
  );
}

/** A stream is not tried again here: only who reads it knows where to go on. */
async function* callStream<I extends DescMessage, O extends DescMessage>(
  transport: Transport,
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I>,
  { signal, timeoutMs, headers }: CallOptions = {},
): AsyncGenerator<MessageShape<O>> {
  try {
    const response = await transport.stream(method, signal, timeoutMs, headers, once(request));
    yield* response.message;
  } catch (error) {
    throw error instanceof SettleError ? error : toSettleError(error);
  }
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
