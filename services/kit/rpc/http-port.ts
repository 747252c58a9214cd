import type { IncomingMessage, ServerResponse } from "node:http";
import type { SecurityLog } from "../security-log.ts";

/** What a service's own HTTP paths may use of their port. */
export interface HttpPort {
  readonly security: SecurityLog;
  /**
   * The whole body, within the port's time, the process's memory, and a number of bodies at once per address: nobody
   * knows yet who sends it. Fails with MESSAGE_TOO_LARGE, BODY_TOO_SLOW, RATE_LIMITED or OVERLOADED.
   */
  readBody(request: IncomingMessage, response: ServerResponse, bytesMax: number): Promise<Buffer>;
}

/** Answers a plain HTTP request and returns true, or returns false when its path is none of the service's own. */
export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  port: HttpPort,
) => boolean;
