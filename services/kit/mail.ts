/** An e-mail in plain text. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** With angle brackets; the same for every copy of the same mail. */
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a server says to a message it answered: it has it, or will never take it. */
export type Acceptance =
  | { readonly kind: "TAKEN" }
  | { readonly kind: "REFUSED"; readonly error: string };

/** Hands a mail to the server. Throws when it may be tried again: no connection, a 4xx reply, a failed login. */
export type SendMail = (mail: Mail) => Promise<Acceptance>;

/** Sends mail and keeps connections. */
export interface Mailer {
  readonly send: SendMail;
  close(): void;
}

/** How long one step of a delivery may take, in milliseconds. */
const STEP_TIMEOUT_MS = 10_000;

/** A mailer by SMTP; `url` is `smtp://user:password@host:587` or `smtps://…`, with STARTTLS where the server has it. */
export async function createMailer(url: string, from: string): Promise<Mailer> {
  // Most starts have no mail server; they need not load what talks to one.
  const { createTransport } = await import("nodemailer");
  const transport = createTransport(
    {
      url,
      pool: true,
      maxConnections: 16,
      connectionTimeout: STEP_TIMEOUT_MS,
      greetingTimeout: STEP_TIMEOUT_MS,
      socketTimeout: STEP_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  return {
    async send(mail) {
      try {
        await transport.sendMail({ ...mail, headers: { ...mail.headers } });
        return { kind: "TAKEN" };
      } catch (error) {
        if (isRefusal(error)) return { kind: "REFUSED", error: error.message };
        throw error;
      }
    },
    close: () => transport.close(),
  };
}

/**
 * A 5xx reply to the envelope or the content concerns this mail and will not change (RFC 5321, 4.2.1); one to the
 * greeting or the login concerns our configuration, which a person can mend meanwhile.
 */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error) || !("responseCode" in error) || !("code" in error)) return false;
  const aboutThisMail = error.code === "EENVELOPE" || error.code === "EMESSAGE";
  return aboutThisMail && typeof error.responseCode === "number" && error.responseCode >= 500;
}
