/**
 * Processes and threads of local clients, rump_lwproc(3). Calls run as the current lwp; without one, as the implicit process 1.
 */
import { EINVAL, ESRCH } from "../hypercall/api/errno.ts";
import { fd_copy } from "../kernel-components/kern/descrip.ts";
import type { Lwp, Proc } from "../kernel-components/kern/proc.ts";
import type { RumpKernel } from "./rump_kernel.ts";
import type { SysContext } from "./sys_frame.ts";

/** rfork: the new process gets a copy of the descriptor table. */
export const RUMP_RFFDG = 0x01;
/** rfork: the new process gets an empty descriptor table. */
export const RUMP_RFCFDG = 0x02;

/** The current lwp of a kernel's local clients. */
export class Lwproc {
  private readonly rk: RumpKernel;
  private readonly implicit: SysContext;
  private cur: Lwp | null = null;
  private readonly bound: Map<Proc, Set<Lwp>> = new Map<Proc, Set<Lwp>>();

  constructor(rk: RumpKernel, implicit: SysContext) {
    this.rk = rk;
    this.implicit = implicit;
  }

  /** The current lwp, or null: the implicit one. */
  curlwp(): Lwp | null {
    return this.cur;
  }

  /** A new process with a new lwp, which becomes current. 0, EINVAL for flags that exclude each other, EAGAIN. */
  rfork(flags: number): number {
    if ((flags & ~(RUMP_RFFDG | RUMP_RFCFDG)) !== 0 || flags === (RUMP_RFFDG | RUMP_RFCFDG)) return EINVAL;
    const parent = this.rk.cx.proc;
    const procs = this.rk.k.procs;
    const p = procs.proc_create(parent.p_comm, parent.p_cred, parent);
    if (p === null) return procs.error;
    if (flags === RUMP_RFFDG) fd_copy(parent, p);
    if (flags === 0) fd_share(parent, p);
    return this.newlwp(p.p_pid);
  }

  /** A new lwp in process `pid`, which becomes current. 0 or ESRCH. */
  newlwp(pid: number): number {
    const p = this.rk.k.procs.find(pid);
    if (p === null || p.p_exited) return ESRCH;
    const l = this.rk.k.procs.lwp_create(p);
    const set = this.bound.get(p) ?? new Set<Lwp>();
    set.add(l);
    this.bound.set(p, set);
    this.switch(l);
    return 0;
  }

  /** Makes `l` current; null: the implicit one. */
  switch(l: Lwp | null): void {
    if (l !== null && this.bound.get(l.l_proc)?.has(l) !== true)
      this.rk.k.panic("lwproc_switch: not an lwp of lwproc, or released");
    this.cur = l;
    this.rk.cx = l === null ? this.implicit : this.rk.context_of(l.l_proc);
  }

  /** Releases the current lwp; the process ends with its last one. Panics without a current lwp. */
  releaselwp(): void {
    const l = this.cur;
    if (l === null) return this.rk.k.panic("lwproc_releaselwp: no current lwp");
    const p = l.l_proc;
    const set = this.bound.get(p);
    set?.delete(l);
    this.rk.k.procs.lwp_exit(l);
    this.switch(null);
    if (set === undefined || set.size > 0) return;
    this.bound.delete(p);
    if (p !== this.implicit.proc) this.rk.proc_exit(p);
  }
}

function fd_share(from: Proc, to: Proc): void {
  to.p_fd = from.p_fd;
  from.p_fd.fd_refcnt++;
}

/** A new process and lwp, made current: RUMP_RFFDG copies descriptors, RUMP_RFCFDG starts without, 0 shares them. 0 or an errno. */
export function rump_pub_lwproc_rfork(rk: RumpKernel, flags: number): number {
  return rk.lwproc.rfork(flags);
}

/** A new lwp of process `pid`, made current. 0 or ESRCH. */
export function rump_pub_lwproc_newlwp(rk: RumpKernel, pid: number): number {
  return rk.lwproc.newlwp(pid);
}

/** Makes an lwp current; null: the implicit one. */
export function rump_pub_lwproc_switch(rk: RumpKernel, l: Lwp | null): void {
  rk.lwproc.switch(l);
}

/** Releases the current lwp. */
export function rump_pub_lwproc_releaselwp(rk: RumpKernel): void {
  rk.lwproc.releaselwp();
}

/** The current lwp, or null. */
export function rump_pub_lwproc_curlwp(rk: RumpKernel): Lwp | null {
  return rk.lwproc.curlwp();
}
