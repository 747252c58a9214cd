/**
 * Lets branches of a workflow wait for each other: each calls the answer once, and all go on when the last has. Local
 * tries that run side by side need it. A replay may learn of both in one activation where the first run had two, so
 * nothing may be commanded between their ends.
 */
export function rendezvous(parties: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let missing = parties;
  return () => {
    missing -= 1;
    if (missing === 0) resolve();
    return promise;
  };
}
