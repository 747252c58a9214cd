// Pays, watches and refunds with the plain gRPC client and generated messages.
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import {
  PaymentService,
  PaymentStatusSchema,
  type WatchResponse,
} from "#gen/payment/v1/payment_pb.ts";

const address = (process.env["SETTLE_URL"] ?? "http://127.0.0.1:8080").replace(/^\w+:\/\//, "");
const client = new Client(address, credentials.createInsecure());
const rpc = PaymentService.method;

/** What grpc-js wants to know of a method: its path, and how bytes become messages. */
function wire<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { readonly input: I; readonly output: O },
  request: MessageInitShape<I>,
) {
  return [
    `/${method.parent.typeName}/${method.name}`,
    (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
    (bytes: Buffer): MessageShape<O> => fromBinary(method.output, bytes),
    create(method.input, request),
  ] as const;
}

function call<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { readonly input: I; readonly output: O },
  request: MessageInitShape<I>,
): Promise<MessageShape<O>> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(...wire(method, request), (error, message) => {
      if (message) resolve(message);
      else reject(error);
    });
  });
}

const { payment } = await call(rpc.create, {
  requestId: crypto.randomUUID(),
  accountId: "1",
  amount: { currencyCode: "USD", minorUnits: 25n },
});
const paymentId = payment?.paymentId ?? "";
const changes: AsyncIterable<WatchResponse> = client.makeServerStreamRequest(
  ...wire(rpc.watch, { paymentId }),
);
for await (const { payment } of changes) {
  if (!payment) continue;
  const status = PaymentStatusSchema.value[payment.status]?.localName;
  process.stdout.write(`${paymentId} is ${status}\n`);
}

const { refund } = await call(rpc.refund, { requestId: crypto.randomUUID(), paymentId });
process.stdout.write(`refunded ${refund?.amount?.minorUnits} by ${refund?.refundId}\n`);
client.close();
