import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";

/** What is still read of a body whose answer has been given, in bytes; more ends the stream or connection. */
export const LEFTOVER_BYTES_MAX = 1024 * 1024;

/**
 * Reads and drops what a refused request still sends. Without it HTTP/1 never comes to the connection's next request,
 * and HTTP/2 keeps the stream and what it has received until the connection has no room left for others.
 */
export function dropLeftover(
  request: IncomingMessage,
  response: ServerResponse,
  bytesMax = LEFTOVER_BYTES_MAX,
): void {
  const stream = streamOf(response);
  (stream ?? response).once("finish", () => {
    if (request.readableEnded || request.destroyed) return;
    let bytes = 0;
    // Whoever read the body has given up in the middle; a listener of theirs would keep it from flowing.
    request.removeAllListeners("readable");
    request.removeAllListeners("data");
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) return;
      if (stream === undefined) request.socket.destroy();
      else stream.close();
    });
    // Node forgets about the removed listeners in the next tick.
    process.nextTick(() => request.resume());
  });
}

/** The compatibility API of node:http2 says "finish" only when the stream has closed, which is too late here. */
function streamOf(response: ServerResponse): ServerHttp2Stream | undefined {
  // Node gives responses of HTTP/2 a stream; the type of the shape that both versions share does not say so.
  return "stream" in response ? (response.stream as ServerHttp2Stream) : undefined;
}
