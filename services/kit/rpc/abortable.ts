/**
 * Rejects with the signal's reason when it is aborted before `until` settles. A handler that does not look at its
 * signal then still ends for its caller; what it goes on doing is awaited by the drain.
 */
export function aborted(signal: AbortSignal, until: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const release = () => signal.removeEventListener("abort", onAbort);
    until.then(release, release);
  });
}

/** The same messages, ended with the signal's reason when it is aborted, even while the source waits. */
export async function* abortable<T>(
  messages: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncIterable<T> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = iterator.next();
      const result = await Promise.race([next, aborted(signal, next)]);
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    // Not awaited: a source that waits for something else would hold the call open.
    iterator.return?.(undefined)?.catch(() => undefined);
  }
}

/** A signal that is aborted with any of several, without leaving listeners on those that live longer. */
export function anySignal(signals: readonly AbortSignal[]): {
  readonly signal: AbortSignal;
  release(): void;
} {
  const controller = new AbortController();
  const listeners = signals.map((signal) => {
    const abort = (): void => controller.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  });
  const release = (): void => {
    for (const remove of listeners) remove();
  };
  return { signal: controller.signal, release };
}
