import net from "node:net";

/** Types of HTTP/2 frames (RFC 9113, section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  continuation: 9,
} as const;

/** Flags of frames. */
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** One HTTP/2 frame. */
export function h2Frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What a client begins a connection with. */
export const H2_START = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  h2Frame(FRAME.settings, 0, 0, Buffer.alloc(0)),
]);

/** A header block of a POST, without compression; `more` are further headers. */
export function postHeaders(path: string, more: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value)]);
  return Buffer.concat([
    // :method POST and :scheme http are entries 3 and 6 of the static table, :path is 4, :authority 1.
    Buffer.from([0x83, 0x86, 0x04]),
    text(path),
    Buffer.from([0x01]),
    text("localhost"),
    ...more.flatMap(([name, value]) => [Buffer.from([0x00]), text(name), text(value)]),
  ]);
}

/** A connection that speaks frames. */
export interface RawConnection extends Disposable {
  readonly socket: net.Socket;
  /** Settles with the error code of GOAWAY when the server ends the connection, -1 without one. */
  readonly ended: Promise<number>;
  /** Error codes of the streams that the server has reset, oldest first. */
  readonly resets: readonly number[];
  /** Settles when the server has begun to speak HTTP/2. */
  readonly begun: Promise<void>;
  write(bytes: Buffer): Promise<void>;
}

/** Opens a connection and begins HTTP/2 on it. */
export async function connectRaw(address: string): Promise<RawConnection> {
  const [host = "", port = ""] = address.split(":");
  const socket = net.connect({ host, port: Number(port), noDelay: true });
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  let seen: Buffer = Buffer.alloc(0);
  let code = -1;
  const resets: number[] = [];
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  socket.on("data", (chunk) => {
    seen = Buffer.concat([seen, chunk]);
    while (seen.length >= 9 && seen.length >= 9 + seen.readUIntBE(0, 3)) {
      const length = seen.readUIntBE(0, 3);
      begin();
      if (seen.readUInt8(3) === FRAME.reset) resets.push(seen.readUInt32BE(9));
      if (seen.readUInt8(3) === FRAME.goaway) code = seen.readUInt32BE(13);
      seen = seen.subarray(9 + length);
    }
  });
  socket.on("error", () => undefined);
  socket.on("close", () => resolve(code));
  const connection: RawConnection = {
    socket,
    ended,
    resets,
    begun,
    write: (bytes) =>
      new Promise((done) => {
        if (socket.destroyed || socket.write(bytes, () => done()) === undefined) done();
      }),
    [Symbol.dispose]: () => socket.destroy(),
  };
  await connection.write(H2_START);
  return connection;
}
