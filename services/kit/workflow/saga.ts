import { CancellationScope } from "@temporalio/workflow";

/** Undoes one step; idempotent, and legal for a step that never happened. */
export type Undo<T> = () => Promise<T | undefined>;

/**
 * The undo stack of a saga. An undo is registered before its step runs, because a step that timed out may have
 * taken effect; unwinding runs newest first, cannot be cancelled, and each undo repeats until it is answered.
 */
export class Saga<T = never> {
  readonly #undos: { readonly name: string; readonly undo: Undo<T> }[] = [];

  /** Registers the undo of a step that is about to run. A name that is registered already is kept as it is. */
  before(name: string, undo: Undo<T>): void {
    if (!this.#undos.some((entry) => entry.name === name)) this.#undos.push({ name, undo });
  }

  /** Undoes everything. An undo that answers a value ends the unwinding with it: the saga must go on otherwise. */
  async unwind(): Promise<T | undefined> {
    return CancellationScope.nonCancellable(async () => {
      for (const { undo } of this.#undos.toReversed()) {
        const verdict = await undo();
        if (verdict !== undefined) return verdict;
      }
      return undefined;
    });
  }
}
