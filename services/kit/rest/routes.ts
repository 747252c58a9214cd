import type { DescService } from "@bufbuild/protobuf";
import { type Binding, bindingsOf } from "./binding.ts";
import { matchTemplate, type Template } from "./template.ts";

/** A binding whose path fits a request, with the texts of its path fields. */
export interface Match {
  readonly binding: Binding;
  readonly variables: ReadonlyMap<string, string>;
}

/** What a path stands for. */
export interface Found {
  /** The binding for the request's method, or undefined: the path exists, the method on it does not. */
  readonly match: Match | undefined;
  /** Methods the path answers, for `Allow`. */
  readonly allowed: readonly string[];
}

/** Finds bindings by method and path. */
export interface Routes {
  /** Undefined when no path fits. The path is raw and has no query. */
  find(httpMethod: string, path: string): Found | undefined;
}

const RANK = { literal: 0, one: 1, rest: 2 } as const;

/** Collects the bindings of services. Throws when two of them claim the same method and path. */
export function createRoutes(services: readonly DescService[]): Routes {
  const bindings = services.flatMap(bindingsOf).sort(compare);
  refuseTwins(bindings);
  return {
    find(httpMethod, path) {
      const matches = bindings.flatMap((binding): Match[] => {
        const variables = matchTemplate(binding.template, path);
        return variables === undefined ? [] : [{ binding, variables }];
      });
      if (matches.length === 0) return undefined;
      const answers = (method: string): Match | undefined =>
        matches.find(({ binding }) => binding.httpMethod === method) ??
        matches.find(({ binding }) => binding.httpMethod === "*");
      // HEAD is GET without the body, where the contract says nothing else.
      const match = answers(httpMethod) ?? (httpMethod === "HEAD" ? answers("GET") : undefined);
      return { match, allowed: allowedOf(matches) };
    },
  };
}

function allowedOf(matches: readonly Match[]): readonly string[] {
  const methods = new Set(matches.map(({ binding }) => binding.httpMethod));
  if (methods.has("GET")) methods.add("HEAD");
  methods.delete("*");
  return [...methods, "OPTIONS"].sort();
}

/** The more exact template first: a custom verb, then literals before `*` before `**`. */
function compare(one: Binding, other: Binding): number {
  const [a, b] = [one.template, other.template];
  const verbs = Number(b.verb !== "") - Number(a.verb !== "");
  if (verbs !== 0) return verbs;
  for (const [at, segment] of a.segments.entries()) {
    const rival = b.segments[at];
    if (rival === undefined) break;
    const rank = RANK[segment.kind] - RANK[rival.kind];
    if (rank !== 0) return rank;
  }
  return b.segments.length - a.segments.length;
}

function refuseTwins(bindings: readonly Binding[]): void {
  const seen = new Map<string, string>();
  for (const { httpMethod, template, method } of bindings) {
    const shape = `${httpMethod} ${shapeOf(template)}`;
    const rpc = `${method.parent.typeName}/${method.name}`;
    const twin = seen.get(shape);
    if (twin !== undefined) throw new Error(`${shape} is bound by ${twin} and by ${rpc}`);
    seen.set(shape, rpc);
  }
}

function shapeOf({ segments, verb }: Template): string {
  const words = segments.map((segment) =>
    segment.kind === "literal" ? segment.text : { one: "*", rest: "**" }[segment.kind],
  );
  return `/${words.join("/")}${verb === "" ? "" : `:${verb}`}`;
}
