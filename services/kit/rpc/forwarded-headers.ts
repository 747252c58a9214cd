/** Headers about one connection, one protocol or one body. */
const OWN_TO_A_HOP = new RegExp(
  "^(:.*|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|http2-settings|host|expect|" +
    "content-.*|accept|accept-.*|connect-.*|grpc-.*|if-.*|range|date|vary|access-control-.*)$",
);

/** Whether a header goes on to the next hop as it is: credentials, tenant, keys and traces do. Name in lower case. */
export function isForwarded(name: string): boolean {
  return !OWN_TO_A_HOP.test(name);
}

/** The headers that go on to the next hop. */
export function forwardedHeaders(header: Headers): Headers {
  return new Headers([...header].filter(([name]) => isForwarded(name)));
}
