/**
 * One connection of the server: a client, which is a process of the kernel. It reads frames, starts calls, and gives everything back when
 * the connection ends, however that happens.
 */
import { EINTR } from "../../hypercall/api/errno.ts";
import type { SpConn, SpConnUp } from "../../hypercall/api/sp.ts";
import type { Callout } from "../../kernel-components/kern/callout.ts";
import { callout_destroy, callout_init, callout_reset, callout_stop } from "../../kernel-components/kern/callout.ts";
import { fd_closeexec } from "../../kernel-components/kern/descrip.ts";
import type { Lwp, Proc } from "../../kernel-components/kern/proc.ts";
import { Ucred } from "../../kernel-components/kern/proc.ts";
import { sp_args_decode, sp_result_encode } from "../sp/sp_args.ts";
import * as P from "../sp/sp_proto.ts";
import { SpReader } from "../sp/sp_reader.ts";
import { SpCall } from "./sp_call.ts";
import type { SpServer } from "./sp_server.ts";

const EMPTY = new Uint8Array(0);

/** A client. */
export class SpClient implements SpConnUp {
  /** Its process, null before the handshake. */
  proc: Proc | null = null;
  private readonly server: SpServer;
  private readonly conn: SpConn;
  private readonly reader: SpReader = new SpReader();
  private readonly calls: Map<number, SpCall> = new Map<number, SpCall>();
  private readonly lwps: Lwp[] = [];
  private readonly handshake_timer: Callout;
  private ended = false;
  private paused = false;

  constructor(server: SpServer, conn: SpConn) {
    this.server = server;
    this.conn = conn;
    this.handshake_timer = callout_init(server.k);
    callout_reset(
      this.handshake_timer,
      P.SP_HANDSHAKE_NS,
      () => this.refuse(0, P.SP_ERR_MALFORMED, "no handshake"),
      null,
    );
  }

  /** Calls that are being carried out. */
  get ncalls(): number {
    return this.calls.size;
  }

  sp_data(bytes: Uint8Array): void {
    if (this.ended) return;
    this.reader.push(bytes, (frame) => {
      this.take(frame);
      return !this.ended;
    });
    if (this.reader.fault !== "" && !this.ended) this.refuse(0, P.SP_ERR_MALFORMED, this.reader.fault);
  }

  sp_drained(): void {
    if (!this.paused) return;
    this.paused = false;
    this.conn.resume();
  }

  sp_closed(): void {
    this.end();
    this.server.dropped(this.conn);
  }

  /** Ends the client: its calls, its process, its connection. */
  end(): void {
    if (!this.ended) this.server.drop(this.conn);
    this.ended = true;
    this.stop_timer();
    this.server.clients.delete(this);
    const proc = this.proc;
    if (proc === null) return;
    this.proc = null;
    this.abort_all();
    this.server.k.procs.proc_exit(proc);
  }

  private abort_all(): void {
    for (const call of [...this.calls.values()]) call.abort(EINTR);
    this.calls.clear();
  }

  private stop_timer(): void {
    if (this.handshake_timer.c_id === 0) return;
    callout_stop(this.handshake_timer);
    callout_destroy(this.handshake_timer);
  }

  private take(frame: P.SpFrame): void {
    if (frame.class !== P.SP_REQ)
      return this.refuse(frame.reqno, P.SP_ERR_MALFORMED, `class ${frame.class} from a client`);
    if (frame.type === P.SP_HANDSHAKE) return this.handshake(frame);
    if (this.proc === null) return this.refuse(frame.reqno, P.SP_ERR_AUTH, "a request before the handshake");
    switch (frame.type) {
      case P.SP_SYSCALL:
        return this.syscall(frame, this.proc);
      case P.SP_PREFORK:
        return this.prefork(frame, this.proc);
      case P.SP_CANCEL:
        return this.cancel(frame);
      default:
        return this.refuse(frame.reqno, P.SP_ERR_MALFORMED, `type ${frame.type}`);
    }
  }

  private handshake(frame: P.SpFrame): void {
    if ((frame.info === P.SP_HANDSHAKE_EXEC) !== (this.proc !== null)) {
      return this.refuse(frame.reqno, P.SP_ERR_AUTH, "a handshake at the wrong time");
    }
    switch (frame.info) {
      case P.SP_HANDSHAKE_GUEST:
        return this.guest(frame);
      case P.SP_HANDSHAKE_FORK:
        return this.forked(frame);
      case P.SP_HANDSHAKE_EXEC:
        return this.exec(frame);
      default:
        return this.refuse(frame.reqno, P.SP_ERR_MALFORMED, `handshake ${frame.info}`);
    }
  }

  private guest(frame: P.SpFrame): void {
    const comm = comm_of(frame.payload);
    if (comm === null) return this.refuse(frame.reqno, P.SP_ERR_MALFORMED, "program name");
    const proc = this.server.k.procs.proc_create(comm, new Ucred(0, 0));
    if (proc === null) return this.refuse(frame.reqno, P.SP_ERR_NOMEM, "no room for a process");
    this.welcome(frame, proc);
  }

  private forked(frame: P.SpFrame): void {
    const proc = frame.payload.length === P.SP_COOKIELEN ? this.server.preforks.claim(frame.payload) : null;
    if (proc === null)
      return this.refuse(frame.reqno, P.SP_ERR_INVALID_PREFORK, "fork with a cookie that nobody waits for");
    this.welcome(frame, proc);
  }

  private welcome(frame: P.SpFrame, proc: Proc): void {
    this.proc = proc;
    this.stop_timer();
    this.answer(frame, new Uint8Array([proc.p_pid & 0xff, (proc.p_pid >> 8) & 0xff, 0, 0]));
  }

  private exec(frame: P.SpFrame): void {
    const comm = comm_of(frame.payload);
    const proc = this.proc;
    if (comm === null || proc === null) return this.refuse(frame.reqno, P.SP_ERR_MALFORMED, "program name");
    this.abort_all();
    const l = this.lwp(proc);
    fd_closeexec(l);
    this.lwps.push(l);
    proc.p_comm = comm;
    this.answer(frame, EMPTY);
  }

  private prefork(frame: P.SpFrame, proc: Proc): void {
    const cookie = this.server.preforks.fork(proc);
    if (cookie === null) return this.error(frame, P.SP_ERR_RFORK_FAILED);
    this.answer(frame, cookie);
  }

  private cancel(frame: P.SpFrame): void {
    this.calls.get(frame.reqno)?.abort(EINTR);
  }

  private lwp(proc: Proc): Lwp {
    return this.lwps.pop() ?? this.server.k.procs.lwp_create(proc);
  }

  private syscall(frame: P.SpFrame, proc: Proc): void {
    const syscall = this.server.syscalls.get(frame.info);
    const args = syscall === undefined ? null : sp_args_decode(frame.payload, syscall.spec);
    if (syscall === undefined || args === null || this.calls.has(frame.reqno)) {
      return this.refuse(frame.reqno, P.SP_ERR_MALFORMED, `system call ${syscall?.name ?? frame.info}`);
    }
    if (this.calls.size >= P.SP_MAXCALLS) return this.error(frame, P.SP_ERR_TRYAGAIN);
    const call = new SpCall(frame.reqno, syscall, args, this.lwp(proc), (c, error) => this.finished(c, error));
    this.calls.set(frame.reqno, call);
    call.run();
    if (syscall.name === "close" || syscall.name.startsWith("dup")) this.look_again();
  }

  /** A descriptor may have gone away: calls that wait for it end with EBADF. */
  private look_again(): void {
    for (const call of [...this.calls.values()]) if (call.gone()) this.server.k.wakeup(call.l);
  }

  private finished(call: SpCall, error: number): void {
    this.calls.delete(call.reqno);
    this.lwps.push(call.l);
    const st = call.state;
    if (!this.ended) {
      const out = sp_result_encode(error, st.rv.val, st.rv.val1, call.args);
      P.sp_header(out, call.reqno, P.SP_RESP, P.SP_SYSCALL, 0);
      this.send(out);
    }
    if (st.halt && error === 0) this.server.halt_asked();
  }

  private answer(frame: P.SpFrame, payload: Uint8Array): void {
    this.send(P.sp_frame(frame.reqno, P.SP_RESP, frame.type, 0, payload));
  }

  private error(frame: P.SpFrame, error: number): void {
    this.send(P.sp_frame(frame.reqno, P.SP_ERROR, frame.type, error, EMPTY));
  }

  /** A peer that breaks the protocol is told so and dropped. Nobody else notices. */
  private refuse(reqno: number, error: number, why: string): void {
    this.send(P.sp_frame(reqno, P.SP_ERROR, P.SP_HANDSHAKE, error, EMPTY));
    this.server.refused(why);
    this.end();
  }

  private send(bytes: Uint8Array): void {
    if (this.ended) return;
    const queued = this.conn.send(bytes);
    if (queued < P.SP_SENDQ_HIGH || this.paused) return;
    this.paused = true;
    this.conn.pause();
  }
}

function comm_of(payload: Uint8Array): string | null {
  if (payload.length === 0 || payload.length > P.SP_MAXCOMM) return null;
  for (const b of payload) if (b < 0x20 || b === 0x7f) return null;
  return new TextDecoder().decode(payload);
}
