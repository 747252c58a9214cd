/** Most items one batch takes. */
const BATCH_MAX = 200;

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (answer: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Collects what arrives while a batch is under way into the next one, per lane. Many payments of one account then
 * share a transaction instead of fighting over the account's tally. A batch that fails fails for all its items.
 */
export function createBatches<I, O>(
  run: (lane: string, items: readonly I[]) => Promise<readonly O[]>,
): (lane: string, item: I) => Promise<O> {
  const lanes = new Map<string, Waiting<I, O>[]>();

  async function drain(lane: string, queue: Waiting<I, O>[]): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0, BATCH_MAX);
      try {
        const answers = await run(
          lane,
          batch.map((waiting) => waiting.item),
        );
        batch.forEach((waiting, index) => {
          const answer = answers[index];
          if (answer === undefined) waiting.reject(new Error("batch answered too few items"));
          else waiting.resolve(answer);
        });
      } catch (error) {
        for (const waiting of batch) waiting.reject(error);
      }
    }
    lanes.delete(lane);
  }

  return (lane, item) =>
    new Promise<O>((resolve, reject) => {
      const queue = lanes.get(lane);
      if (queue !== undefined) {
        queue.push({ item, resolve, reject });
        return;
      }
      const fresh = [{ item, resolve, reject }];
      lanes.set(lane, fresh);
      void drain(lane, fresh);
    });
}
