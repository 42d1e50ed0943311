/**
 * The client's end of a sysproxy connection: one stream, any number of requests in flight, each answered by its number.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { ECONNREFUSED, ECONNRESET, EINVAL, EMSGSIZE, ENAMETOOLONG, EPROTO } from "../../hypercall/api/errno.ts";
import { SP_PATH_MAX } from "../../hypercall/api/sp.ts";
import { errtrans } from "../../hypercall/native/errtrans.ts";
import { sp_parse } from "../../hypercall/native/sp_url.ts";
import { RumpError } from "../errors.ts";
import { sp_args_encode, sp_result_decode } from "../sp/sp_args.ts";
import type { SpArg, SpResult } from "../sp/sp_args.ts";
import * as P from "../sp/sp_proto.ts";
import { SpReader } from "../sp/sp_reader.ts";

/** The environment variable that names the kernel. */
export const RUMP_SERVER = "RUMP_SERVER";

interface Pending {
  readonly syscall: string;
  readonly take: (frame: P.SpFrame) => void;
  readonly fail: (error: RumpError) => void;
}

/** A connection. */
export class SpLink {
  /** Called once when it ends, whoever ended it. */
  onclose: (() => void) | null = null;
  /** Whether it has ended. */
  closed = false;
  /** What the server said it is, such as "RUMPSP-1.0-rumpkit-0.1.0/rump". */
  readonly banner: string;
  private readonly socket: Socket;
  private readonly url: string;
  private readonly reader: SpReader = new SpReader();
  private readonly pending: Map<number, Pending> = new Map<number, Pending>();
  private next = 1;

  constructor(socket: Socket, url: string, banner: string, rest: Uint8Array) {
    this.socket = socket;
    this.url = url;
    this.banner = banner;
    // plain arrays, not Buffers: slice() of a Buffer would share its memory
    socket.on("data", (bytes: Buffer) => this.data(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)));
    socket.on("error", () => undefined);
    socket.on("close", () =>
      this.end(new RumpError("rumpclient", ECONNRESET, this.url, undefined, "the kernel has closed the connection")),
    );
    if (rest.length > 0) this.data(rest);
  }

  /** Requests that wait for their answers. */
  get inflight(): number {
    return this.pending.size;
  }

  /** Lets the process end while this connection is open, or not. */
  ref(on: boolean): void {
    if (on) this.socket.ref();
    else this.socket.unref();
  }

  /** Ends the connection: the kernel's process ends, requests fail with ECONNRESET. */
  close(): void {
    this.socket.destroy();
    this.end(new RumpError("rumpclient", ECONNRESET, this.url, undefined, "closed"));
  }

  /** A system call. The promise gives its result, errno included; buffers of `args` are filled by then. */
  syscall(name: string, sysnum: number, args: readonly SpArg[], signal?: AbortSignal): Promise<SpResult> {
    const frame = sp_args_encode(args);
    if (frame === null)
      return Promise.reject(
        new RumpError(name, EMSGSIZE, undefined, undefined, `more than ${P.SP_MAXFRAME} bytes in one call`),
      );
    return new Promise((resolve, reject) => {
      const reqno = this.ask(name, reject, (answer) => {
        const result = sp_result_decode(answer.payload, args);
        if (result === null) this.broken(`an answer to ${name} that makes no sense`);
        else resolve(result);
      });
      P.sp_header(frame, reqno, P.SP_REQ, P.SP_SYSCALL, sysnum);
      this.write(frame);
      signal?.addEventListener("abort", () => this.cancel(reqno), { once: true });
    });
  }

  /** Any other request: the payload of its answer. */
  request(name: string, type: number, info: number, payload: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const reqno = this.ask(name, reject, (answer) => resolve(answer.payload));
      this.write(P.sp_frame(reqno, P.SP_REQ, type, info, payload));
    });
  }

  private cancel(reqno: number): void {
    if (this.pending.has(reqno)) this.write(P.sp_frame(reqno, P.SP_REQ, P.SP_CANCEL, 0, new Uint8Array(0)));
  }

  private ask(syscall: string, fail: (error: RumpError) => void, take: (frame: P.SpFrame) => void): number {
    const reqno = this.next++;
    if (this.closed) fail(new RumpError(syscall, ECONNRESET, this.url, undefined, "the connection has ended"));
    else this.pending.set(reqno, { syscall, take, fail });
    return reqno;
  }

  private write(bytes: Uint8Array): void {
    if (!this.closed) this.socket.write(bytes);
  }

  private data(bytes: Uint8Array): void {
    this.reader.push(bytes, (frame) => {
      this.take(frame);
      return !this.closed;
    });
    if (this.reader.fault !== "" && !this.closed) this.broken(this.reader.fault);
  }

  private take(frame: P.SpFrame): void {
    const p = this.pending.get(frame.reqno);
    if (frame.class === P.SP_ERROR && frame.reqno === 0) {
      return this.end(
        new RumpError("rumpclient", P.sp_errno(frame.info), this.url, undefined, P.sp_errtext(frame.info)),
      );
    }
    if (p === undefined) return this.broken(`an answer to request ${frame.reqno}, which nobody asked`);
    this.pending.delete(frame.reqno);
    if (frame.class === P.SP_RESP) p.take(frame);
    else p.fail(new RumpError(p.syscall, P.sp_errno(frame.info), this.url, undefined, P.sp_errtext(frame.info)));
  }

  private broken(why: string): void {
    this.socket.destroy();
    this.end(new RumpError("rumpclient", EPROTO, this.url, undefined, why));
  }

  private end(error: RumpError): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.destroy();
    for (const p of this.pending.values())
      p.fail(new RumpError(p.syscall, error.errno, this.url, undefined, error.message));
    this.pending.clear();
    this.onclose?.();
  }
}

/** Connects to `url` and reads the banner. Rejects with RumpError: EINVAL, ENOENT, ECONNREFUSED, EACCES, EPROTO. */
export function sp_connect(url: string): Promise<SpLink> {
  const address = sp_parse(url);
  if (address.err !== 0) {
    const err = address.err === ENAMETOOLONG ? ENAMETOOLONG : EINVAL;
    return Promise.reject(
      new RumpError("connect", err, url, undefined, `${address.text} (at most ${SP_PATH_MAX} bytes)`),
    );
  }
  return new Promise((resolve, reject) => {
    const socket = connect(address.path);
    let got = new Uint8Array(0);
    const fail = (errno: number, why: string): void => {
      socket.destroy();
      reject(new RumpError("connect", errno, url, undefined, why));
    };
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const host =
        error.code === undefined ? undefined : (constants.errno as Readonly<Record<string, number>>)[error.code];
      fail(
        host === undefined ? ECONNREFUSED : errtrans(host),
        error.code === "ENOENT"
          ? "no kernel is there"
          : error.code === "EACCES"
            ? "it is another user's"
            : "no kernel listens there",
      );
    });
    socket.on("close", () => fail(ECONNREFUSED, "it hung up: another user's kernel, or it is going down"));
    socket.on("data", (bytes: Uint8Array) => {
      const all = new Uint8Array(got.length + bytes.length);
      all.set(got);
      all.set(bytes, got.length);
      got = all;
      const end = got.indexOf(10);
      if (end === -1) return got.length > P.SP_MAXBANNER ? fail(EPROTO, "not a rump kernel") : undefined;
      const banner = new TextDecoder().decode(got.subarray(0, end));
      const fault = P.sp_banner_fault(banner);
      if (fault !== "") return fail(EPROTO, fault);
      socket.removeAllListeners();
      return resolve(new SpLink(socket, url, banner, got.subarray(end + 1)));
    });
  });
}
