const EXAMPLE = "http://127.0.0.1:8080";

/**
 * An address without a slash at its end. Throws a TypeError that names the option: a wrong address would otherwise
 * show only with the first call, as an outage.
 */
export function readBaseUrl(option: string, text: unknown): string {
  const shown = JSON.stringify(text) ?? "undefined";
  const wrong = (why: string): TypeError =>
    new TypeError(`${option} ${shown} ${why}, for example ${EXAMPLE}`);
  if (typeof text !== "string" || text === "") throw wrong("must be the address of Settle");
  if (!/^https?:\/\//i.test(text)) throw wrong("must begin with http:// or https://");
  if (!URL.canParse(text)) throw wrong("is not a URL; give scheme, host and port");
  const { username, password, search, hash } = new URL(text);
  if (username !== "" || password !== "") {
    // The text is left out: it holds a password.
    throw new TypeError(`${option} must have no user or password; give the key as apiKey`);
  }
  if (search !== "" || hash !== "") throw wrong("must have nothing after the path");
  return text.replace(/\/+$/, "");
}

/** Throws a TypeError where a key could not stand in a header. The key is not repeated. */
export function checkCredential(apiKey: string | undefined): void {
  if (apiKey === undefined || /^[\x21-\x7e]+$/.test(apiKey)) return;
  throw new TypeError(
    "apiKey must be printable ASCII without spaces; a key read from a file may end with a line break",
  );
}
