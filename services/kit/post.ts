import http from "node:http";
import https from "node:https";

/** A body to post. */
export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends it, wherever it is. */
  readonly signal: AbortSignal;
  /** How to connect: certificates, a lookup, an agent. */
  readonly connection?: https.RequestOptions;
}

/** What came back of it. */
export interface PostAnswer {
  /** HTTP status. */
  readonly status: number;
  /** The header `Retry-After` as it came; undefined when there was none. */
  readonly retryAfter: string | undefined;
}

/** Most that is read of an answer's body, in bytes. */
const ANSWER_BODY_BYTES_MAX = 64 * 1024;

/**
 * Posts a body and answers status and hint. Redirects are answers like any other and not followed; the answer's body is
 * thrown away. Throws what failed, or the signal's reason.
 */
export function post(
  target: URL,
  { headers, body, signal, connection }: Post,
): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = (target.protocol === "https:" ? https : http).request(
      target,
      {
        ...connection,
        method: "POST",
        headers: { ...headers, "content-length": `${Buffer.byteLength(body)}` },
        signal,
      },
      (answer) => {
        ignoreBody(answer);
        resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers["retry-after"] });
      },
    );
    outgoing.on("error", (error) => reject(signal.aborted ? signal.reason : error));
    outgoing.end(body);
  });
}

/** Only the status counts. A short body is let in, so that an honest server sees no broken connection; a long one is cut. */
function ignoreBody(answer: http.IncomingMessage): void {
  let bytes = 0;
  answer.on("error", () => undefined);
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BODY_BYTES_MAX) answer.destroy();
  });
}
