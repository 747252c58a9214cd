import { readFileSync } from "node:fs";
import http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "#kit/version.ts";
import { type Stack, startStack } from "#test/support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const at = (path: string, init: RequestInit = {}) =>
  fetch(`http://${stack.addresses.edge}${path}`, init);

describe("who looks at the edge", () => {
  test("with a browser finds a page with links that work and calls to copy, and nothing on it can run", async () => {
    const response = await at("/", { headers: { accept: "text/html,*/*" } });
    const page = await response.text();
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page).toContain(`Settle ${VERSION}`);
    expect(page).not.toMatch(/<script|javascript:|https?:\/\/(?!127\.0\.0\.1)/);
    const links = [...page.matchAll(/href="([^"]+)"/g)].map(([, path]) => path ?? "");
    expect(links).toContain("/openapi.yaml");
    for (const path of links) expect([path, (await at(path)).status]).toEqual([path, 200]);
  });

  test("with curl finds the same as text, and its calls are answered", async () => {
    const text = await (await at("/")).text();
    const bodies = [...text.matchAll(/^curl '?(\S+?)'?(?: .*-d '(.*)')?$/gm)];
    expect(bodies.length).toBeGreaterThan(2);
    for (const [line, url = "", body] of bodies) {
      const headers = { "content-type": "application/json" };
      const response = await fetch(url, body ? { method: "POST", headers, body } : {});
      expect([line, response.status]).toEqual([line, 200]);
    }
  });

  test("finds the version and the description of every REST path", async () => {
    expect(await (await at("/version")).json()).toEqual({
      name: "settle",
      version: VERSION,
      api: "v1",
    });
    const response = await at("/openapi.yaml");
    expect(response.headers.get("content-type")).toBe("application/yaml");
    const file = new URL("../../docs/api/openapi.yaml", import.meta.url);
    expect(await response.text()).toBe(readFileSync(file, "utf8"));
  });

  test("by HEAD gets the header only, and by another method hears which one is right", async () => {
    const head = await at("/", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const post = await at("/version", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await post.json()).toMatchObject({
      error: { details: [{ reason: "METHOD_NOT_ALLOWED" }, {}] },
    });
  });
});

test("a Host of somebody's making is shown as text, not as markup", async () => {
  const { host, port } = new URL(`http://${stack.addresses.edge}`);
  expect(host).toContain(port);
  const page = await new Promise<string>((resolve, reject) => {
    const headers = { host: `127.0.0.1:${port}"><script>`, accept: "text/html" };
    http
      .get({ host: "127.0.0.1", port, path: "/", headers }, (response) => {
        let text = "";
        response.on("data", (chunk) => (text += chunk));
        response.on("end", () => resolve(text));
      })
      .on("error", reject);
  });
  expect(page).not.toContain("<script>");
});
