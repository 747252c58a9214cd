import type { ReasonTable } from "#kit/pure/reasons.ts";

/** The edge refuses nothing of its own: its answers are its peers'. */
export const edgeReasons = {} as const satisfies ReasonTable;
