/** What a handler gets instead of an argument that cannot be decoded; see `payload-converter.ts`. */
export interface Undecodable {
  /** Encoding of the payload, as whoever sent it named it; empty where it named none. */
  readonly undecodable: string;
  readonly cause: string;
}

/** Whether an argument stands for one that could not be decoded. Who sends such a one by hand is dropped the same. */
export function isUndecodable(argument: unknown): argument is Undecodable {
  return typeof argument === "object" && argument !== null && "undecodable" in argument;
}
