import ts from "typescript";
import {
  at,
  isCode,
  isShipped,
  lineRule,
  nodeRule,
  nodes,
  parse,
  type Rule,
  type TextFile,
} from "./files.ts";

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

const inServices = (file: TextFile): boolean => /^services\/.*\.ts$/.test(file.path);
const inTests = (file: TextFile): boolean => /^test\/.*\.test\.ts$/.test(file.path);

/** No file is longer than a person reads in one go. */
export const fileLength: Rule = (files) =>
  files.filter(isCode).flatMap((file) => {
    const lines = file.text.trimEnd().split("\n").length;
    return lines > FILE_LINES_MAX
      ? [`${file.path} has ${lines} lines, more than ${FILE_LINES_MAX}`]
      : [];
  });

/** No function is longer than a screen; the blocks that group tests do not count. */
export const functionLength: Rule = nodeRule(isCode, (node, file) => {
  if (!ts.isFunctionLike(node) || !("body" in node) || !node.body || groupsTests(node))
    return undefined;
  const source = parse(file);
  const first = source.getLineAndCharacterOfPosition(node.getStart()).line;
  const lines = source.getLineAndCharacterOfPosition(node.getEnd()).line - first + 1;
  return lines > FUNCTION_LINES_MAX
    ? `function of ${lines} lines, more than ${FUNCTION_LINES_MAX}`
    : undefined;
});

function groupsTests(node: ts.Node): boolean {
  const call = node.parent;
  return ts.isCallExpression(call) && call.expression.getText().startsWith("describe");
}

/** Named exports only; the tools that want a default export are configuration and k6. */
export const defaultExports: Rule = nodeRule(
  (file) => isShipped(file) || (isCode(file) && file.path.startsWith("test/")),
  (node) => {
    if (ts.isExportAssignment(node)) return "default export";
    return node.kind === ts.SyntaxKind.DefaultKeyword && ts.isFunctionDeclaration(node.parent)
      ? "default export"
      : undefined;
  },
);

/** Unfinished work is an issue, not a comment. */
export const unfinished: Rule = lineRule(
  (file) => isCode(file) || /^(proto|docs)\/|\.ya?ml$|README\.md$/.test(file.path),
  new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "HA" + "CK"].join("|")})\\b`),
  "unfinished",
);

/** Types are honest in what ships. */
export const anyType: Rule = nodeRule(isShipped, (node) =>
  node.kind === ts.SyntaxKind.AnyKeyword ? "any" : undefined,
);

/** Null is checked, not wished away. */
export const nonNull: Rule = nodeRule(isShipped, (node) =>
  ts.isNonNullExpression(node) ? "non-null assertion" : undefined,
);

/** Neither the compiler nor the linter is silenced in what ships. */
export const suppressions: Rule = lineRule(
  isShipped,
  /@ts-(ignore|expect-error|nocheck)|biome-ignore|eslint-disable/,
  "suppression",
);

/** `as` only where bytes, JSON or BSON enter: never in the rooms that decide. */
export const casts: Rule = nodeRule(
  (file) =>
    inServices(file) &&
    /\/(domain|application|pure|workflows|workflow)\/|\/(contract|reasons|config)\.ts$/.test(
      file.path,
    ),
  (node) =>
    ts.isAsExpression(node) && node.type.getText() !== "const"
      ? `cast to ${node.type.getText()}`
      : undefined,
);

/** What others import says in a docstring what its type cannot. */
export const docstrings: Rule = (files) =>
  files
    .filter(inServices)
    .filter((file) => /^services\/kit\/|\/domain\/|\/(contract|config)\.ts$/.test(file.path))
    .flatMap((file) =>
      parse(file)
        .statements.filter((statement) => isExported(statement) && !hasDocstring(file, statement))
        .map((statement) => `${at(file, statement)} export without a docstring`),
    );

function isExported(statement: ts.Statement): boolean {
  // A re-export is documented where it is made; overloads share the first one's docstring.
  if (!ts.canHaveModifiers(statement)) return false;
  return (ts.getModifiers(statement) ?? []).some(
    ({ kind }) => kind === ts.SyntaxKind.ExportKeyword,
  );
}

function hasDocstring(file: TextFile, statement: ts.Statement): boolean {
  return (ts.getLeadingCommentRanges(file.text, statement.getFullStart()) ?? []).some(({ pos }) =>
    file.text.startsWith("/**", pos),
  );
}

const MONEY = /minor|amount|balance|captured|refunded|reserved|\bheld\b/i;
const TO_NUMBER = /^(Number|parseInt|parseFloat|Number\.parse(Int|Float)|Math\.\w+)$/;

/** Minor units are bigint from the wire to the database: never turned into a number, never declared as one. */
export const moneyAsNumber: Rule = nodeRule(isShipped, (node, file) => {
  if (ts.isCallExpression(node) && TO_NUMBER.test(node.expression.getText())) {
    return node.arguments.some((argument) => MONEY.test(argument.getText()))
      ? "money as a number"
      : undefined;
  }
  if (ts.isPropertyAccessExpression(node) && node.name.text === "toFixed" && inServices(file))
    return "toFixed";
  if (ts.isPropertySignature(node) || ts.isParameter(node)) {
    const isMoney =
      /^(minorUnits|amount|balance|held|floor|(captured|refunded|reserved)\w*|\w+(Minor|Amount|Balance))$/;
    return isMoney.test(node.name.getText()) && node.type?.kind === ts.SyntaxKind.NumberKeyword
      ? "money declared as a number"
      : undefined;
  }
  return undefined;
});

/** The environment is read at the door and handed down. */
export const environment: Rule = lineRule(
  (file) => inServices(file) && !/\/main\.ts$/.test(file.path),
  /\bprocess\.env\b/,
  "environment read outside main",
);

/** A test waits for a condition, never for a while. */
export const sleeps: Rule = lineRule(
  inTests,
  /await\s+(setTimeout|sleep|delay)\(|=>\s*setTimeout\(\s*\w+,|\bsetTimeout\b.*timers\/promises/,
  "sleep in a test",
);

/** Other services and the kit are named by subpath, so that a file can be moved within its service. */
export const farImports: Rule = (files) =>
  files.filter(isShipped).flatMap((file) =>
    [...nodes(file)].flatMap((node) => {
      if (
        !ts.isStringLiteralLike(node) ||
        !(ts.isImportDeclaration(node.parent) || ts.isExportDeclaration(node.parent))
      )
        return [];
      const house = file.path.split("/").slice(0, 2).join("/");
      const target = new URL(node.text, `file:///${file.path}`).pathname.slice(1);
      const far =
        node.text.startsWith(".") &&
        !target.startsWith(/^(tools|client)\//.exec(file.path)?.[0] ?? `${house}/`);
      return far ? [`${at(file, node)} relative import out of its folder: ${node.text}`] : [];
    }),
  );
