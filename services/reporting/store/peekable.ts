import type { Document } from "mongodb";
import type { Snapshot } from "./snapshot.ts";

/** A stream whose next key can be seen before it is taken. */
export class Peekable {
  readonly #rows: AsyncGenerator<Document>;
  readonly #keyOf: (row: Document) => string;
  #head: Document | undefined;
  #ended = false;

  constructor(source: AsyncGenerator<Document>, keyOf: (row: Document) => string) {
    this.#rows = source;
    this.#keyOf = keyOf;
  }

  async peek(): Promise<string | undefined> {
    if (this.#head === undefined && !this.#ended) {
      const next = await this.#rows.next();
      if (next.done) this.#ended = true;
      else this.#head = next.value;
    }
    return this.#head && this.#keyOf(this.#head);
  }

  /** All rows with this key, which must be the next one or none. */
  async take(key: string): Promise<readonly Document[]> {
    const taken: Document[] = [];
    while ((await this.peek()) === key && this.#head) {
      taken.push(this.#head);
      this.#head = undefined;
    }
    return taken;
  }
}

/** The order in which MongoDB sorts the ids, which are ASCII. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The rows of a pipeline, one by one. */
export async function* rowsOf(
  snapshot: Snapshot,
  service: string,
  collection: string,
  pipeline: Document[],
): AsyncGenerator<Document> {
  for await (const batch of snapshot.stream(snapshot.collection(service, collection), pipeline)) {
    yield* batch;
  }
}
