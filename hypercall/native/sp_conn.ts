// One stream over a local socket of the host.
import type { Socket } from "node:net";
import { ECONNRESET } from "../api/errno.ts";
import { type SpConn, type SpConnUp, SpCred } from "../api/sp.ts";
import type { NativeCtx } from "./native_ctx.ts";
import { node_errno } from "./node_errno.ts";

/** Descriptor of a connected socket, -1 when Node does not show it. */
function descriptor(socket: Socket): number {
  const handle = (socket as unknown as { readonly _handle: { readonly fd?: number } | null })._handle;
  return handle?.fd ?? -1;
}

/** Who has connected `socket`. */
export function peer_of(cx: NativeCtx, socket: Socket): SpCred {
  const cred = new SpCred();
  const found = cx.process.addon.peercred(descriptor(socket));
  if (typeof found === "number") return cred;
  cred.pid = found.pid;
  cred.uid = found.uid;
  cred.gid = found.gid;
  return cred;
}

/** A connected stream. */
export class NativeSpConn implements SpConn {
  readonly peer: SpCred;
  private readonly cx: NativeCtx;
  private readonly socket: Socket;
  private up: SpConnUp | null = null;
  private error = 0;
  private readonly written: () => void;

  constructor(cx: NativeCtx, socket: Socket, peer: SpCred) {
    this.cx = cx;
    this.socket = socket;
    this.peer = peer;
    this.written = () => {
      const up = this.up;
      if (up !== null && this.socket.writableLength === 0 && !this.socket.destroyed)
        this.cx.upcall(() => up.sp_drained());
    };
  }

  /** Begin to deliver. */
  begin(up: SpConnUp): void {
    this.up = up;
    this.socket.on("data", (bytes: Buffer) => {
      const own = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
      this.cx.upcall(() => up.sp_data(own));
    });
    this.socket.on("error", (error) => {
      this.error = node_errno(error) || ECONNRESET;
    });
    this.socket.on("close", () => {
      this.up = null;
      this.cx.upcall(() => up.sp_closed(this.error));
    });
  }

  send(bytes: Uint8Array): number {
    if (this.socket.destroyed || this.socket.writableEnded) return -1;
    this.socket.write(bytes, this.written);
    return this.socket.writableLength;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  close(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
