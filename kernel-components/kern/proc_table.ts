// The processes of a kernel: process 0 (the kernel itself), and those that system calls come from.
import { EAGAIN } from "../../hypercall/api/errno.ts";
import { fd_closeall } from "./descrip.ts";
import type { Kernel } from "./kernel.ts";
import { Lwp, Proc, Ucred } from "./proc.ts";
import { lwp_wait_done } from "./select.ts";

/** Most processes of a kernel (kern.maxproc). */
export const MAXPROC = 30_000;

/** All processes of one kernel. */
export class ProcTable {
  /** The kernel's own process. */
  readonly proc0: Proc;
  /** The kernel's own thread: file operations of a dying process run as it. */
  readonly lwp0: Lwp;
  /** Why the last proc_create gave null. */
  error = 0;
  private readonly k: Kernel;
  private readonly all: Map<number, Proc> = new Map<number, Proc>();
  private next_pid = 1;

  constructor(k: Kernel) {
    this.k = k;
    this.proc0 = new Proc(k, 0, "system", new Ucred(0, 0), null);
    this.all.set(0, this.proc0);
    this.lwp0 = this.lwp_create(this.proc0);
  }

  /** A new process with no descriptors, or null at the limit. */
  proc_create(comm: string, cred: Ucred, parent: Proc = this.proc0): Proc | null {
    if (this.all.size >= MAXPROC) {
      this.error = EAGAIN;
      return null;
    }
    while (this.all.has(this.next_pid)) this.next_pid = (this.next_pid % MAXPROC) + 1;
    const p = new Proc(this.k, this.next_pid, comm, cred, parent);
    this.next_pid = (this.next_pid % MAXPROC) + 1;
    this.all.set(p.p_pid, p);
    return p;
  }

  /** A new thread of `p`. */
  lwp_create(p: Proc): Lwp {
    const l = new Lwp(p, p.p_nlwpid++);
    p.p_lwps.push(l);
    return l;
  }

  /** A thread ends: nothing wakes it any more. */
  lwp_exit(l: Lwp): void {
    lwp_wait_done(l);
    const i = l.l_proc.p_lwps.indexOf(l);
    if (i !== -1) l.l_proc.p_lwps.splice(i, 1);
  }

  /** A process ends, also one that was killed in mid-call: its threads stop waiting and its files are closed. Returns how many. */
  proc_exit(p: Proc): number {
    if (p.p_exited) return 0;
    p.p_exited = true;
    for (const l of [...p.p_lwps]) if (l !== this.lwp0) this.lwp_exit(l);
    const files = --p.p_fd.fd_refcnt > 0 ? 0 : fd_closeall(this.lwp0, p);
    if (p !== this.proc0) this.all.delete(p.p_pid);
    return files;
  }

  /** The process `pid`, or null. */
  find(pid: number): Proc | null {
    return this.all.get(pid) ?? null;
  }

  /** All processes in order of creation. */
  list(): Proc[] {
    return [...this.all.values()];
  }

  /** End all processes. Returns how many files were open. */
  exit_all(): number {
    let files = 0;
    for (const p of this.list()) files += this.proc_exit(p);
    return files;
  }
}
