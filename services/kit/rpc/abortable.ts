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

/** A signal that is aborted with either of the two, without leaving listeners on the longer-lived one. */
export function eitherSignal(
  call: AbortSignal,
  longLived: AbortSignal,
): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onCall = () => controller.abort(call.reason);
  const onLongLived = () => controller.abort(longLived.reason);
  const release = () => {
    call.removeEventListener("abort", onCall);
    longLived.removeEventListener("abort", onLongLived);
  };
  if (longLived.aborted) onLongLived();
  else if (call.aborted) onCall();
  else {
    call.addEventListener("abort", onCall, { once: true });
    longLived.addEventListener("abort", onLongLived, { once: true });
  }
  return { signal: controller.signal, release };
}
