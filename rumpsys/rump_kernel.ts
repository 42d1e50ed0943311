/**
 * RumpKernel: a booted kernel with its processes and its rumpSys. Made by rump_init (rump_init.ts).
 */
import { ESRCH } from "../hypercall/api/errno.ts";
import type { Host } from "../hypercall/api/host.ts";
import type { Kernel, ShutdownReport } from "../kernel-components/kern/kernel.ts";
import type { Proc } from "../kernel-components/kern/proc.ts";
import { Ucred } from "../kernel-components/kern/proc.ts";
import { POLLPRI } from "../kernel-components/kern/select.ts";
import { SOCKET_LAYER } from "../kernel-components/socket/socketvar.ts";
import { RumpError } from "./errors.ts";
import { Lwproc } from "./lwproc.ts";
import { RumpSys } from "./rumpsys.ts";
import type { SysOwner } from "./rumpsys_base.ts";
import { SysContext } from "./sys_frame.ts";

/** NetBSD's number of the signal: a write that nobody can read. */
export const SIGPIPE = 13;
/** NetBSD's number of the signal: urgent data at a socket. */
export const SIGURG = 16;
/** NetBSD's number of the signal: a socket with FIOASYNC can be read or written. */
export const SIGIO = 23;

/** A process of a kernel with its own descriptors and its own rumpSys. */
export class RumpProcess implements SysOwner {
  /** Where its calls run. */
  readonly cx: SysContext;
  /** Its system calls. */
  readonly rumpSys: RumpSys;
  private readonly kernel: RumpKernel;

  constructor(kernel: RumpKernel, proc: Proc) {
    this.kernel = kernel;
    this.cx = kernel.context_of(proc);
    this.rumpSys = new RumpSys(this);
  }

  /** Its process id. */
  get pid(): number {
    return this.cx.proc.p_pid;
  }

  /** Ends it: calls that wait reject with EINTR, descriptors are closed. */
  exit(): void {
    this.kernel.proc_exit(this.cx.proc);
  }
}

/** A kernel. `rumpSys` calls run in the current process: process 1, unless lwproc chose another. */
export class RumpKernel implements SysOwner {
  /** The kernel itself. */
  readonly k: Kernel;
  /** Where system calls run now. hot */
  cx: SysContext;
  /** NetBSD's system calls. */
  readonly rumpSys: RumpSys;
  /** Processes and threads of local clients (rump_lwproc(3)). */
  readonly lwproc: Lwproc;
  /**
   * Told of signals that NetBSD would send to a process `pid` (< 0: process group): SIGPIPE of a send that failed with EPIPE, SIGIO and SIGURG of sockets
   * with an owner (FIOASYNC, FIOSETOWN). Null: they are ignored, as with rump_boot_setsigmodel(RUMP_SIGMODEL_IGNORE). Runs inside the kernel: it must not wait.
   */
  onsignal: ((pid: number, signo: number) => void) | null = null;
  private readonly contexts: Map<Proc, SysContext> = new Map<Proc, SysContext>();

  constructor(k: Kernel) {
    this.k = k;
    this.cx = this.context_of(this.implicit_proc());
    this.rumpSys = new RumpSys(this);
    this.lwproc = new Lwproc(this, this.cx);
    const layer = k.softc_find(SOCKET_LAYER);
    if (layer === null) return;
    layer.sigpipe = (pid) => this.onsignal?.(pid, SIGPIPE);
    layer.ownsignal = (pid, events) => this.onsignal?.(pid, (events & POLLPRI) !== 0 ? SIGURG : SIGIO);
  }

  /** The host it runs on. */
  get host(): Host {
    return this.k.host;
  }

  private implicit_proc(): Proc {
    const p = this.k.procs.find(1) ?? this.k.procs.proc_create("rump", new Ucred(0, 0));
    if (p === null) throw new RumpError("rump_init", this.k.procs.error);
    return p;
  }

  /** The context of a process. */
  context_of(p: Proc): SysContext {
    let cx = this.contexts.get(p);
    if (cx === undefined) {
      cx = new SysContext(this.k, p);
      this.contexts.set(p, cx);
    }
    return cx;
  }

  /** A new process with no descriptors. `uid` and `gid` decide what it may do. */
  process(comm: string = "rump", uid: number = 0, gid: number = 0): RumpProcess {
    const p = this.k.procs.proc_create(comm, new Ucred(uid, gid));
    if (p === null) throw new RumpError("fork", this.k.procs.error);
    return new RumpProcess(this, p);
  }

  /** The process `pid`. ESRCH. */
  process_find(pid: number): RumpProcess {
    const p = this.k.procs.find(pid);
    if (p === null || pid === 0) throw new RumpError("fork", ESRCH);
    return new RumpProcess(this, p);
  }

  /** Ends a process. */
  proc_exit(p: Proc): void {
    this.k.enter();
    this.contexts.get(p)?.abort_all();
    this.contexts.delete(p);
    this.k.procs.proc_exit(p);
    this.k.leave();
  }

  /** Ends all processes, detaches all components in reverse order, and says what was not given back. Calls that wait reject with EINTR. */
  shutdown(): ShutdownReport {
    for (const cx of this.contexts.values()) cx.abort_all();
    this.contexts.clear();
    return this.k.shutdown();
  }
}
