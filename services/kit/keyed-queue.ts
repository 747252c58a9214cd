/**
 * Runs the work of one key in the order it came, one at a time, and that of different keys side by side. For
 * transactions that all write one document: the database would abort all but one of them, again and again. It spares
 * conflicts within one process only; what keeps the data right is the transaction itself.
 */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<void>>();

  /** The outcome of `work`, which begins when all earlier work of the key has ended, in whatever way. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const { promise: tail, resolve: end } = Promise.withResolvers<void>();
    this.#tails.set(key, tail);
    try {
      await before;
      return await work();
    } finally {
      end();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }

  /** Keys with work that has not ended. */
  get size(): number {
    return this.#tails.size;
  }
}
