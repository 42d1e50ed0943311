/**
 * The sysproxy protocol, version 1.0 (docs/man/rump_sp.7.md): system calls of a kernel over a byte stream. Numbers, limits and the frame
 * header. All integers are little-endian. Headers, classes and types are those of NetBSD's rump_sp(7); the payload of a system call is
 * not: what the kernel would copy in travels in the request and what it would copy out in the response (sp_args.ts), so a call is one
 * round trip whatever its arguments are.
 */
import { EAGAIN, EBUSY, EINVAL, EIO, ENOMEM, EPERM, ESRCH } from "../../hypercall/api/errno.ts";

/** Major version: both ends must have the same. */
export const SP_MAJOR = 1;
/** Minor version: a client with a higher one must do without what is new. */
export const SP_MINOR = 0;

/** Bytes of a frame's header: len u64, reqno u64, class u16, type u16, a u32 that depends on the type. */
export const SP_HDRSIZE = 24;
/** Longest frame with its header. Room for one 1 MB transfer and its arguments. */
export const SP_MAXFRAME: number = (1 << 20) + 4096;
/** Longest banner, with its newline. */
export const SP_MAXBANNER = 96;
/** Longest program name of a handshake in bytes; a longer one is refused. */
export const SP_MAXCOMM = 64;
/** Most clients of one server. */
export const SP_MAXCLIENTS = 256;
/** Most calls of one client that are being carried out. */
export const SP_MAXCALLS = 512;
/** Most preforked processes of one client that nobody has claimed. */
export const SP_MAXPREFORK = 64;
/** How long a preforked process waits for its client, in ns. */
export const SP_PREFORK_NS = 30e9;
/** How long a client that has connected may take for its handshake, in ns. */
export const SP_HANDSHAKE_NS = 10e9;
/** How long what is queued for a client that was dropped may still go out, in ns. */
export const SP_LINGER_NS = 1e9;
/** Queued bytes of answers above which a client is not read until they are gone. */
export const SP_SENDQ_HIGH: number = 1 << 20;
/** Bytes of a fork cookie. */
export const SP_COOKIELEN = 16;

/** Class: a request. */
export const SP_REQ = 0;
/** Class: its answer. */
export const SP_RESP = 1;
/** Class: it could not be served, see SP_ERR_*. */
export const SP_ERROR = 2;

/** Type: the first frame of a client, and exec. */
export const SP_HANDSHAKE = 0;
/** Type: a system call. */
export const SP_SYSCALL = 1;
/** Type: fork the process for a client to come. */
export const SP_PREFORK = 7;
/** Type: end one call of this client with EINTR. Not in NetBSD's protocol. No answer of its own. */
export const SP_CANCEL = 9;

/** Handshake: a new process. */
export const SP_HANDSHAKE_GUEST = 0;
/** Handshake: become a preforked process. */
export const SP_HANDSHAKE_FORK = 2;
/** Handshake: the process runs another program. */
export const SP_HANDSHAKE_EXEC = 3;

/** Error: a limit is reached, try later. */
export const SP_ERR_TRYAGAIN = 1;
/** Error: not allowed. */
export const SP_ERR_AUTH = 2;
/** Error: no process waits for this cookie. */
export const SP_ERR_INVALID_PREFORK = 3;
/** Error: the process could not be forked. */
export const SP_ERR_RFORK_FAILED = 4;
/** Error: exec is going on. */
export const SP_ERR_INEXEC = 5;
/** Error: out of memory. */
export const SP_ERR_NOMEM = 6;
/** Error: not a frame of this protocol; the connection ends. */
export const SP_ERR_MALFORMED = 7;

const SP_ERRNO: readonly number[] = [0, EAGAIN, EPERM, ESRCH, EIO, EBUSY, ENOMEM, EINVAL];
const SP_ERRTEXT: readonly string[] = [
  "no error",
  "a limit of the server is reached",
  "not allowed",
  "no process waits for this cookie",
  "the process could not be forked",
  "exec is going on",
  "the server is out of memory",
  "malformed frame",
];

/** The errno of an SP_ERR_* number. */
export function sp_errno(error: number): number {
  return SP_ERRNO[error] ?? EIO;
}

/** What an SP_ERR_* number means. */
export function sp_errtext(error: number): string {
  return SP_ERRTEXT[error] ?? `error ${error}`;
}

/** A frame: header fields and payload. */
export class SpFrame {
  /** Number that the asking side has chosen; its answer has the same. */
  reqno = 0;
  /** SP_REQ, SP_RESP, SP_ERROR. */
  class = 0;
  /** SP_HANDSHAKE, SP_SYSCALL, ... */
  type = 0;
  /** System call number, SP_HANDSHAKE_*, SP_ERR_*. */
  info = 0;
  /** What follows the header. */
  payload: Uint8Array = new Uint8Array(0);
}

/** A frame as bytes. */
export function sp_frame(reqno: number, cls: number, type: number, info: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(SP_HDRSIZE + payload.length);
  sp_header(out, reqno, cls, type, info);
  out.set(payload, SP_HDRSIZE);
  return out;
}

/** Writes the header of the frame that fills `out`. */
export function sp_header(out: Uint8Array, reqno: number, cls: number, type: number, info: number): void {
  const dv = new DataView(out.buffer, out.byteOffset, out.byteLength);
  dv.setUint32(0, out.length, true);
  dv.setUint32(8, reqno >>> 0, true);
  dv.setUint32(12, Math.floor(reqno / 2 ** 32), true);
  dv.setUint16(16, cls, true);
  dv.setUint16(18, type, true);
  dv.setUint32(20, info, true);
}

/** What the server sends first. */
export function sp_banner(ostype: string, osrelease: string, machine: string): string {
  return `RUMPSP-${SP_MAJOR}.${SP_MINOR}-${ostype}-${osrelease}/${machine}\n`;
}

/** What is wrong with a banner (without its newline), or "". */
export function sp_banner_fault(banner: string): string {
  const match = /^RUMPSP-(\d{1,4})\.(\d{1,4})-/.exec(banner);
  if (match === null) return `not a rump kernel: it says ${JSON.stringify(banner.slice(0, 40))}`;
  if (Number(match[1]) !== SP_MAJOR)
    return `speaks sysproxy ${match[1]}.${match[2]}, and this program ${SP_MAJOR}.${SP_MINOR}`;
  return "";
}
