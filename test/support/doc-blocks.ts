/** A shell block of a page and what its mark says: `run`, `proven by FILE`, or `not run: WHY`. */
export interface ShellBlock {
  /** Empty when the block has no mark. */
  readonly mark: string;
  /** The commands, one each, without comments. */
  readonly commands: readonly string[];
}

/** The shell blocks of a page of Markdown; the mark is an HTML comment on the line before. */
export function shellBlocks(text: string): ShellBlock[] {
  const blocks = text.matchAll(
    /(?:<!-- (.+?) -->\n+)?^```(?:sh|bash|shell|console)\n([\s\S]*?)^```/gm,
  );
  return [...blocks].map((block) => ({
    mark: known(block[1] ?? ""),
    commands: (block[2] ?? "")
      .split("\n")
      .map((line) => line.replace(/\s+# .*$/, "").trim())
      .filter((line) => line !== "" && !line.startsWith("#")),
  }));
}

function known(mark: string): string {
  return /^(run|proven by \S+|not run: .+)$/.test(mark) ? mark : "";
}
