import { fail } from "k6";
import grpc from "k6/net/grpc";
import { addressOf } from "./addresses.js";

const clients = {};

/** A gRPC connection per service and VU, made on first use; the services describe themselves by reflection. */
function clientOf(service) {
  if (!clients[service]) {
    const client = new grpc.Client();
    client.connect(addressOf(service), { plaintext: true, reflect: true, timeout: "10s" });
    clients[service] = client;
  }
  return clients[service];
}

/** One unary call, for example `call("payment", "payment.v1.PaymentService/Create", {...})`. */
export function call(service, method, request) {
  return clientOf(service).invoke(method, request, { timeout: "30s" });
}

/** Whether a call ended well. k6's status is not a plain number: compared with 0 it is never equal. */
export function isOk(response) {
  return response.status === grpc.StatusOK;
}

/** The answer of a call that must succeed; ends the iteration with the method and the error when it did not. */
export function mustCall(service, method, request) {
  const response = call(service, method, request);
  if (!isOk(response)) fail(`${method}: ${JSON.stringify(response.error)}`);
  return response.message;
}

/** Closes this VU's connections. */
export function closeClients() {
  for (const service of Object.keys(clients)) {
    clients[service].close();
    delete clients[service];
  }
}
