/** One request of a `.http` file, before its variables are filled in. */
export interface HttpRequest {
  readonly title: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The status `# expect` names. */
  readonly expected: number;
  /** `# @set name = path.to.field`: taken from the answer for later requests. */
  readonly sets: Readonly<Record<string, string>>;
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
  const notes = lines.slice(0, start).join("\n");
  return {
    title,
    method,
    url,
    headers: pairs(lines.slice(start + 1, blank).join("\n"), /^([\w-]+): (.+)$/gm),
    body: lines
      .slice(blank + 1)
      .join("\n")
      .trim(),
    expected: Number(/^# expect (\d+)$/m.exec(notes)?.[1]),
    sets: pairs(notes, /^# @set (\w+) = ([\w.]+)$/gm),
  };
}

function pairs(text: string, pattern: RegExp): Record<string, string> {
  return Object.fromEntries([...text.matchAll(pattern)].map(([, name, value]) => [name, value]));
}

/** The text with `{{name}}` replaced; a variable nobody set is an error. */
export function fillVariables(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`{{${name}}} is not set`);
    return value;
  });
}

/** The text at a path of names in an answer. */
export function fieldOf(answer: unknown, path: string): string {
  const found = path
    .split(".")
    .reduce<unknown>(
      (at, name) => Object.entries(Object(at)).find(([key]) => key === name)?.[1],
      answer,
    );
  if (typeof found !== "string") throw new Error(`the answer has no ${path}`);
  return found;
}
