import { fail } from "k6";
import { Counter } from "k6/metrics";
import grpc from "k6/net/grpc";
import { addressOf } from "../lib/addresses.js";

/** `[{rpc, request, streams, refused}]`: what to call, by full name. Set by the test that runs this. */
const CALLS = JSON.parse(__ENV.CALLS || "[]");

/** What this script is, for people and for the test that runs it. */
export const scenario = {
  description: "one call of each kind to each service at the edge, known by reflection only",
};

const done = new Counter("settle_done");

export const options = {
  scenarios: { once: { executor: "shared-iterations", vus: 1, iterations: 1, maxDuration: "2m" } },
  // A run that called nothing has shown nothing.
  thresholds: { settle_done: [`count==${CALLS.length}`, "count>0"] },
};

/** A line of JSON per call, for the table of the docs. */
function tell(index, ok, seen) {
  done.add(1);
  console.log(JSON.stringify({ index, ok, seen }));
}

export default async function callAll() {
  if (CALLS.length === 0) {
    fail(
      'nothing to call: set CALLS, for example CALLS=\'[{"rpc": "payment.v1.PaymentService/List", "request": {}}]\'',
    );
  }
  const client = new grpc.Client();
  client.connect(addressOf("edge"), { plaintext: true, reflect: true, timeout: "10s" });
  for (const [index, { rpc, request, streams, refused }] of CALLS.entries()) {
    if (streams) {
      const messages = await read(client, rpc, request);
      tell(index, messages.length > 0, messages);
      continue;
    }
    const { status, message, error } = client.invoke(rpc, request, { timeout: "30s" });
    const expected = refused ? grpc.StatusInvalidArgument : grpc.StatusOK;
    tell(index, status === expected, refused ? error : message);
  }
  client.close();
}

function read(client, rpc, request) {
  return new Promise((resolve) => {
    const messages = [];
    const stream = new grpc.Stream(client, rpc);
    stream.on("data", (message) => messages.push(message));
    stream.on("error", (error) => fail(`${rpc}: ${JSON.stringify(error)}`));
    stream.on("end", () => resolve(messages));
    stream.write(request);
    stream.end();
  });
}
