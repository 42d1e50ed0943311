// Byte streams between a kernel and its clients in other processes. Only that: handshake, framing and the meaning of requests are
// rumpsys/server's. This replaces rumpuser's sp_copyin and its family, which existed because a C kernel had to reach into client memory;
// here arguments travel in the request.

/** Who is at the other end, as the host's kernel vouches for it. -1 where the host cannot tell. */
export class SpCred {
  /** Process id. */
  pid = -1;
  /** User id. */
  uid = -1;
  /** Group id. */
  gid = -1;
}

/** One connected stream, the same on both sides. */
export interface SpConn {
  /** Who is at the other end. */
  readonly peer: SpCred;
  /**
   * Queue `bytes`; they are copied or the caller never changes them again. Order is kept. Does not block.
   * @returns bytes now queued in all, which the sender should keep bounded (see sp_drained); -1 when the stream is closed.
   */
  send(bytes: Uint8Array): number;
  /** Do not call sp_data until resume(). */
  pause(): void;
  /** Call sp_data again. */
  resume(): void;
  /** Send what is queued, then end. sp_closed is still called. */
  close(): void;
  /** End at once; what is queued is lost. sp_closed is still called. */
  destroy(): void;
}

/** Upcalls of one stream, each within the kernel's bracket. */
export interface SpConnUp {
  /** Bytes have come. The array belongs to the receiver. */
  sp_data(bytes: Uint8Array): void;
  /** All that was queued has gone. */
  sp_drained(): void;
  /** The stream is over, once and last: 0 for an orderly end, else an errno such as ECONNRESET. */
  sp_closed(err: number): void;
}

/** Upcalls of a server. */
export interface SpUp {
  /** A client has connected. @returns its upcalls, or null to turn it away. */
  sp_accept(conn: SpConn): SpConnUp | null;
  /** The server has stopped by itself. */
  sp_failed(err: number, text: string): void;
}

/** Longest name of a local stream: the path of a unix:// URL in bytes, as the host's sockaddr_un allows. */
export const SP_PATH_MAX = 107;

/** Streams. */
export interface HyperSp {
  /**
   * Accept clients at `url`: unix://path (three slashes for an absolute one). The host makes the socket with mode 0600, removes a dead one of
   * that name, and refuses clients of another user (root excepted). `done` is called once, never inside this call: 0 when clients can connect;
   * EINVAL for a bad URL, EADDRINUSE when a live server has it, EBUSY when this host serves already, EACCES, ENAMETOOLONG. `text` tells people
   * what was wrong. Source: rumpuser_sp_init(3).
   */
  rumpuser_sp_init(url: string, up: SpUp, done: (err: number, text: string) => void): void;

  /** Stop accepting, remove the socket, end all streams of the server. Harmless without a server. Source: rumpuser_sp_fini(3). */
  rumpuser_sp_fini(): void;

  /**
   * Connect to `url` as a client. `done` is called once, never inside this call: with the stream, or with null and EINVAL, ENOENT,
   * ECONNREFUSED, EACCES, ... New: rumpclient(3) does this by itself, without a hypercall.
   */
  rumpuser_sp_connect(url: string, up: SpConnUp, done: (conn: SpConn | null, err: number, text: string) => void): void;
}
