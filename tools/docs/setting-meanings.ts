import path from "node:path";
import ts from "typescript";
import { sourcesOf } from "./sources.ts";

/** What a setting means, by `<service> <name>`. */
export type Meanings = ReadonlyMap<string, string>;

const SETTING = /^(SETTLE_[A-Z0-9_]+|MONGODB_URI|TEMPORAL_[A-Z_]+)$/;

/**
 * The meaning of every setting whose name stands in a call: the docstring of the field that the call fills, found by
 * its name in the same file, then in the service, then in kit. So whoever writes a setting as the others are
 * written finds it on the page.
 */
export function meaningsIn(): Meanings {
  const sources = [...sourcesOf("services")].map(([file, text]) => ({
    house: file.split(path.sep)[1] ?? "",
    file: ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true),
  }));
  const docs = new Map<string, string>();
  for (const { house, file } of sources) {
    visit(file, (node) => {
      if (!ts.isPropertySignature(node)) return;
      const doc = docOf(node);
      if (doc === "") return;
      for (const scope of [file.fileName, house]) {
        const key = `${scope} ${node.name.getText()}`;
        if (!docs.has(key)) docs.set(key, doc);
      }
    });
  }
  const meanings = new Map<string, string>();
  for (const { house, file } of sources) {
    visit(file, (node) => {
      if (!ts.isStringLiteral(node) || !SETTING.test(node.text)) return;
      const filled = filledBy(node);
      const scopes = [file.fileName, house, "kit"];
      const doc =
        filled.comment || scopes.map((scope) => docs.get(`${scope} ${filled.name}`)).find(Boolean);
      const key = `${house} ${node.text}`;
      if (doc && !meanings.has(key)) meanings.set(key, withoutItself(doc, node.text));
    });
  }
  return meanings;
}

/** The field or the variable that the value ends in, and what is written before it. */
function filledBy(node: ts.Node): { readonly name: string; readonly comment: string } {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isPropertyAssignment(at)) return { name: at.name.getText(), comment: "" };
    if (ts.isVariableDeclaration(at)) {
      return { name: at.name.getText(), comment: docOf(at.parent.parent) };
    }
    if (ts.isFunctionDeclaration(at)) return { name: at.name?.text ?? "", comment: docOf(at) };
  }
  return { name: "", comment: "" };
}

function docOf(node: ts.Node): string {
  const texts = ts
    .getJSDocCommentsAndTags(node)
    .map(({ comment }) => ts.getTextOfJSDocComment(comment));
  return texts.join(" ").replaceAll(/\s+/g, " ").trim();
}

/** The page shows the name, and the default, beside the meaning. */
function withoutItself(doc: string, name: string): string {
  return doc
    .replaceAll(new RegExp(`\`?${name}\`?(=\\w+)?[^.;]*[.;]\\s*`, "g"), "")
    .replace(/\s*\b(No default|Default\b.*)\.?$/i, "")
    .replaceAll(/, in milliseconds\b/g, "")
    .trim();
}

function visit(node: ts.Node, each: (node: ts.Node) => void): void {
  each(node);
  node.forEachChild((child) => visit(child, each));
}
