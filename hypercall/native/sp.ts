// Byte streams to clients in other processes: a local socket by path, mode 0600 from its first moment, its clients' identity vouched for by
// the host's kernel.
import { chmodSync, existsSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { isMainThread } from "node:worker_threads";
import { EADDRINUSE, EBUSY } from "../api/errno.ts";
import { strerror } from "../api/errno_names.ts";
import type { HyperSp, SpConn, SpConnUp, SpUp } from "../api/sp.ts";
import type { NativeCtx } from "./native_ctx.ts";
import { node_errno } from "./node_errno.ts";
import { NativeSpConn, peer_of } from "./sp_conn.ts";
import { sp_parse } from "./sp_url.ts";

const SOCKET_MODE = 0o600;
/** The complement of SOCKET_MODE. */
const SOCKET_UMASK = 0o177;
const ROOT = 0;

type ServerDone = (err: number, text: string) => void;

/** Streams. */
export class NativeSp implements HyperSp {
  private readonly cx: NativeCtx;
  private server: Server | null = null;
  private starting = false;
  private readonly clients: Set<Socket> = new Set<Socket>();

  constructor(cx: NativeCtx) {
    this.cx = cx;
  }

  rumpuser_sp_init(url: string, up: SpUp, done: ServerDone): void {
    const answer = (err: number, text: string): void => {
      this.starting = false;
      this.cx.upcall(() => done(err, text));
    };
    const address = sp_parse(url);
    if (address.err !== 0) return this.cx.process.defer(() => answer(address.err, address.text));
    if (this.server !== null || this.starting) {
      return this.cx.defer_upcall(() => done(EBUSY, `${url}: this kernel serves already`));
    }
    this.starting = true;
    this.listen(address.path, up, answer, true);
  }

  rumpuser_sp_fini(): void {
    const server = this.server;
    this.server = null;
    server?.close();
    for (const socket of this.clients) socket.destroy();
  }

  rumpuser_sp_connect(url: string, up: SpConnUp, done: (conn: SpConn | null, err: number, text: string) => void): void {
    const address = sp_parse(url);
    if (address.err !== 0) return this.cx.defer_upcall(() => done(null, address.err, address.text));
    const socket = connect(address.path);
    socket.once("error", (error) => {
      const err = node_errno(error);
      this.cx.upcall(() => done(null, err, `${url}: ${strerror(err)}`));
    });
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      const conn = new NativeSpConn(this.cx, socket, peer_of(this.cx, socket));
      conn.begin(up);
      this.cx.upcall(() => done(conn, 0, ""));
    });
  }

  private listen(path: string, up: SpUp, done: ServerDone, may_clean: boolean): void {
    const server = createServer((socket) => this.accept(socket, up));
    const failed = (error: Error): void => {
      const err = node_errno(error);
      if (err !== EADDRINUSE) return done(err, `${path}: ${strerror(err)}`);
      if (!may_clean) return done(EADDRINUSE, `${path}: in use`);
      remove_dead(path, (live) => {
        if (live !== "") done(EADDRINUSE, live);
        else this.listen(path, up, done, false);
      });
    };
    server.once("error", failed);
    server.once("listening", () => {
      server.removeListener("error", failed);
      server.on("error", (error) => this.cx.upcall(() => up.sp_failed(node_errno(error), error.message)));
      if (!isMainThread) chmodSync(path, SOCKET_MODE);
      this.server = server;
      done(0, "");
    });
    // bind(2) happens inside listen(), so the mask makes the mode right from the first moment; workers cannot set one, and chmod above.
    const mask = isMainThread ? process.umask(SOCKET_UMASK) : 0;
    try {
      server.listen(path);
    } finally {
      if (isMainThread) process.umask(mask);
    }
  }

  private accept(socket: Socket, up: SpUp): void {
    const peer = peer_of(this.cx, socket);
    socket.on("error", () => {});
    if (peer.uid !== ROOT && peer.uid !== process.geteuid?.()) {
      socket.destroy();
      return;
    }
    this.clients.add(socket);
    socket.once("close", () => this.clients.delete(socket));
    this.cx.upcall(() => {
      const conn = new NativeSpConn(this.cx, socket, peer);
      const stream = up.sp_accept(conn);
      if (stream === null) socket.destroy();
      else conn.begin(stream);
    });
  }
}

/**
 * Removes the socket of a server that has died. Answers "" when the path is free, else what keeps it. Nobody answers at a dead socket; it is
 * renamed before it is removed, so that a server that took the path in between is noticed and put back.
 */
function remove_dead(path: string, done: (why_not: string) => void): void {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined) return done("");
  if (!before.isSocket()) return done(`${path}: exists and is no socket; cure: remove it or use another path`);
  const probe = connect(path);
  probe.once("connect", () => {
    probe.destroy();
    done(`${path}: a live server has it`);
  });
  probe.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return done("");
    if (error.code !== "ECONNREFUSED") return done(`${path}: ${error.message}`);
    const aside = `${path}.${process.pid}.dead`;
    try {
      renameSync(path, aside);
      if (lstatSync(aside).ino === before.ino) {
        unlinkSync(aside);
        return done("");
      }
      if (!existsSync(path)) renameSync(aside, path);
      return done(`${path}: another server is starting there`);
    } catch (failure) {
      return done(`${path}: ${failure instanceof Error ? failure.message : String(failure)}`);
    }
  });
}
