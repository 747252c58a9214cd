/** One request of a `.http` file, before its variables are filled in. */
export interface HttpRequest {
  readonly title: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The status that `?? status ==` names. */
  readonly expected: number;
  /** `# @name`: by which later requests use the answer; empty when they do not. */
  readonly name: string;
}

/** The requests of a `.http` file, in order; each begins with `###`. */
export function parseHttpFile(text: string): HttpRequest[] {
  return text
    .split(/^### */m)
    .slice(1)
    .map(parseRequest);
}

function parseRequest(block: string): HttpRequest {
  const [title = "", ...lines] = block.split("\n");
  const start = lines.findIndex((line) => /^(GET|POST|PUT|PATCH|DELETE) /.test(line));
  const [method = "", url = ""] = (lines[start] ?? "").split(" ");
  const blank = lines.indexOf("", start);
  const asserted = lines.findIndex((line) => line.startsWith("?? "));
  const notes = lines.slice(0, start).join("\n");
  return {
    title,
    method,
    url,
    headers: pairs(lines.slice(start + 1, blank).join("\n"), /^([\w-]+): (.+)$/gm),
    body: lines
      .slice(blank + 1, asserted)
      .join("\n")
      .trim(),
    expected: Number(/^\?\? status == (\d+)$/.exec(lines[asserted] ?? "")?.[1]),
    name: /^# @name (\w+)$/m.exec(notes)?.[1] ?? "",
  };
}

function pairs(text: string, pattern: RegExp): Record<string, string> {
  return Object.fromEntries([...text.matchAll(pattern)].map(([, name, value]) => [name, value]));
}

/** The text with `{{name.of.field}}` replaced by what stands there in the values; what nobody set is an error. */
export function fillVariables(text: string, values: Readonly<Record<string, unknown>>): string {
  return text.replaceAll(/\{\{([\w.]+)\}\}/g, (_, path: string) => fieldOf(values, path));
}

function fieldOf(answer: unknown, path: string): string {
  const found = path
    .split(".")
    .reduce<unknown>(
      (at, name) => Object.entries(Object(at)).find(([key]) => key === name)?.[1],
      answer,
    );
  if (typeof found !== "string") throw new Error(`{{${path}}} is not set`);
  return found;
}
