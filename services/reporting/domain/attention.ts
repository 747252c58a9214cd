/** What waits, or lies somewhere; the names of `reporting.v1.AttentionKind` without their prefix, in the order reported. */
export const ATTENTION_KINDS = [
  "OPEN_PAYMENT",
  "UNDOING",
  "UNDELIVERED_MESSAGE",
  "UNDELIVERED_WEBHOOK",
  "OPEN_TASK",
  "STALE_TASK",
  "SUSPENSE",
] as const;

/** One of them. */
export type AttentionKind = (typeof ATTENTION_KINDS)[number];

/** One thing that a person should know of, and that breaks nothing. */
export interface AttentionItem {
  /** The payment, message, delivery, task or account. */
  readonly id: string;
  readonly detail: string;
  /** Since when; undefined where nobody wrote that down. */
  readonly since: Date | undefined;
}

/** Most items that are named per kind; all are counted. */
export const NAMED_ITEMS_MAX = 20;

/** All of one kind. */
export interface Attention {
  readonly kind: AttentionKind;
  readonly count: bigint;
  /** Oldest first, at most `NAMED_ITEMS_MAX`. */
  readonly oldest: readonly AttentionItem[];
}

/** Collects them in bounded memory. */
export interface AttentionList {
  note(kind: AttentionKind, item: AttentionItem): void;
  /** Kinds that there is something of. */
  summary(): readonly Attention[];
}

/** An empty list. */
export function collectAttention(): AttentionList {
  const counts = new Map<AttentionKind, bigint>();
  const oldest = new Map<AttentionKind, readonly AttentionItem[]>();
  return {
    note(kind, item) {
      counts.set(kind, (counts.get(kind) ?? 0n) + 1n);
      const known = oldest.get(kind) ?? [];
      const last = known.at(-1);
      if (known.length === NAMED_ITEMS_MAX && last && timeOf(item) >= timeOf(last)) return;
      const sorted = [...known, item].sort((one, other) => timeOf(one) - timeOf(other));
      oldest.set(kind, sorted.slice(0, NAMED_ITEMS_MAX));
    },
    summary: () =>
      ATTENTION_KINDS.flatMap((kind) => {
        const count = counts.get(kind);
        return count === undefined ? [] : [{ kind, count, oldest: oldest.get(kind) ?? [] }];
      }),
  };
}

/** What nobody dated comes last. */
function timeOf({ since }: AttentionItem): number {
  return since?.getTime() ?? Number.POSITIVE_INFINITY;
}
