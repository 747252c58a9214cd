import {
  clone,
  create,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { CallOptions } from "./options.ts";
import type { UnaryCall } from "./service-client.ts";

/** What a page lists: the element of its one repeated field; names with `$` are protobuf's own. */
export type ItemOf<T> = {
  [K in keyof T as K extends `$${string}` ? never : K]-?: T[K] extends (infer I)[] ? I : never;
} extends infer Items
  ? Items[keyof Items]
  : never;

/** The pages of a list RPC, asked for one after the other as they are read. */
export interface Pages<I extends DescMessage, O extends DescMessage> {
  /** Every item of every page from the request's `page_token` on. `page_size` is what one call brings. */
  all(
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): AsyncGenerator<ItemOf<MessageShape<O>>, void, undefined>;
  /** Page by page, for whoever wants to keep `next_page_token` and go on another day. */
  pages(
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): AsyncGenerator<MessageShape<O>, void, undefined>;
}

/** The call with `all` and `pages` where its RPC is a list; the call as it is where not. */
export function withPages<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  call: UnaryCall<I, O>,
): UnaryCall<I, O> {
  const { input, output } = method;
  const next = output.fields.find(({ name }) => name === "next_page_token");
  const token = input.fields.find(({ name }) => name === "page_token");
  const items = output.fields.find(({ fieldKind }) => fieldKind === "list");
  if (next === undefined || token === undefined || items?.fieldKind !== "list") return call;

  async function* pages(request: MessageInitShape<I>, options?: CallOptions) {
    const message = clone(input, create(input, request));
    const asked = reflect(input, message);
    for (;;) {
      const page = await call(message as MessageInitShape<I>, options);
      yield page;
      const after = next === undefined ? "" : reflect(output, page).get(next);
      if (typeof after !== "string" || after === "" || token === undefined) return;
      // A server that gives the same token again would be asked for ever.
      if (after === asked.get(token)) throw new Error(`${method.name}: the pages do not move on`);
      asked.set(token, after);
    }
  }
  async function* all(request: MessageInitShape<I>, options?: CallOptions) {
    for await (const page of pages(request, options)) {
      const listed: unknown = Object.entries(page).find(([name]) => name === items?.localName)?.[1];
      if (Array.isArray(listed)) yield* listed;
    }
  }
  return Object.assign(call, { all, pages });
}
