import type { Command } from "commander";
import { type CliIo, type Invocation, invocationOf } from "../context.ts";
import { EXIT_FAILED } from "../errors.ts";
import { jsonText, printLines, style } from "../output.ts";
import { renderTable } from "../table.ts";
import { type Finding, runChecks } from "./checks.ts";

const HELP = `
Changes nothing. Exit code 1 when something that Settle needs is missing.

Example:
  settle doctor -o json`;

/** `settle doctor`. */
export function addDoctor(parent: Command, io: CliIo, result: { exitCode: number }): void {
  const command = parent.command("doctor");
  command
    .description("check what Settle needs and say what to do")
    .addHelpText("after", HELP)
    .action(async () => {
      const invocation = invocationOf(command, io);
      const findings = await runChecks(invocation);
      const ok = findings.every((finding) => finding.result !== "fail");
      if (invocation.output === "json")
        printLines(invocation, [jsonText({ ok, checks: findings }, 2)]);
      else printLines(invocation, findingLines(invocation, findings));
      if (!ok) result.exitCode = EXIT_FAILED;
    });
}

const LOOKS = { ok: "good", warn: "warn", fail: "bad" } as const;

function findingLines(invocation: Invocation, findings: readonly Finding[]): readonly string[] {
  const table = renderTable(
    [
      { title: "RESULT", cell: ({ result }) => result },
      { title: "CHECK", cell: ({ check }) => check },
      { title: "FOUND", cell: ({ found }) => found },
    ],
    findings,
  );
  return table.flatMap((line, index) => {
    const finding = findings[index - 1];
    if (finding === undefined) return [line];
    const coloured = line.replace(finding.result, (text) =>
      style(invocation, LOOKS[finding.result], text),
    );
    return finding.next === undefined ? [coloured] : [coloured, `        → ${finding.next}`];
  });
}
