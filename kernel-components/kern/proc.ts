// Processes, threads of control, files and descriptor tables: the data of them.
import type { Kernel } from "./kernel.ts";
import type { Selinfo } from "./select.ts";
import type { RetVal, Uio } from "./uio.ts";
import type { Wakeable } from "./wakeup.ts";

/** f_type: a device or anything without a type of its own. */
export const DTYPE_MISC = 7;
/** f_type: a socket. */
export const DTYPE_SOCKET = 2;
/** f_type: a pipe. */
export const DTYPE_PIPE = 3;

/** Who a process acts as (kauth_cred). */
export class Ucred {
  /** Effective user. */
  readonly cr_uid: number;
  /** Effective group. */
  readonly cr_gid: number;
  /** Other groups. */
  readonly cr_groups: readonly number[];

  constructor(uid: number, gid: number, groups: readonly number[] = []) {
    this.cr_uid = uid;
    this.cr_gid = gid;
    this.cr_groups = groups;
  }
}

/** Whether `cred` may do what only the superuser may. */
export function is_super(cred: Ucred): boolean {
  return cred.cr_uid === 0;
}

/** What fstat tells of a file. */
export class Stat {
  /** Type and mode. */
  st_mode = 0;
  /** Size in bytes. */
  st_size = 0;
  /** Preferred size of I/O. */
  st_blksize = 0;
  /** Owner. */
  st_uid = 0;
  /** Group. */
  st_gid = 0;
}

/** st_mode of a socket. */
export const S_IFSOCK = 0o140000;
/** st_mode of a character device. */
export const S_IFCHR = 0o020000;
/** st_mode of a pipe. */
export const S_IFIFO = 0o010000;

/** What a kind of file does. Results are errnos (or EWAIT) unless said otherwise. */
export interface Fileops {
  /** Name for messages. */
  readonly fo_name: string;
  /** Read into `uio`. Nothing read and 0 is end of file. */
  fo_read(l: Lwp, fp: File, uio: Uio, rv: RetVal): number;
  /** Write from `uio`. */
  fo_write(l: Lwp, fp: File, uio: Uio, rv: RetVal): number;
  /** Control; `data` has at least the bytes that the command's encoding says, and is written back. */
  fo_ioctl(l: Lwp, fp: File, cmd: number, data: Uint8Array): number;
  /** The subset of POLL* `events` (and POLLERR, POLLHUP) that hold now; if none, selrecord `l`. */
  fo_poll(l: Lwp, fp: File, events: number): number;
  /** The last reference went away. */
  fo_close(l: Lwp, fp: File): number;
  /** Fill `st`. */
  fo_stat(l: Lwp, fp: File, st: Stat): number;
  /** F_SETFL and commands that the generic layer does not know; fp.f_flag has its new value already. */
  fo_fcntl(l: Lwp, fp: File, cmd: number, arg: number): number;
}

/** An open file: what descriptors point to. */
export class File {
  /** DTYPE_*. */
  readonly f_type: number;
  /** FREAD, FWRITE, FNONBLOCK, FASYNC. */
  f_flag: number;
  /** Its operations. */
  readonly f_ops: Fileops;
  /** The object behind it, such as a Socket. */
  f_data: unknown;
  /** Descriptors and messages that refer to it. */
  f_count = 0;
  /** Position. */
  f_offset = 0;
  /** Who opened it. */
  readonly f_cred: Ucred;

  constructor(type: number, flag: number, ops: Fileops, data: unknown, cred: Ucred) {
    this.f_type = type;
    this.f_flag = flag;
    this.f_ops = ops;
    this.f_data = data;
    this.f_cred = cred;
  }
}

/** Descriptors that a process may have by default (RLIMIT_NOFILE). */
export const NOFILE_CUR = 1024;
/** The largest limit. */
export const NOFILE_MAX: number = 1 << 20;

/** The descriptor table of a process. */
export class Filedesc {
  /** Open files by descriptor. */
  readonly fd_ofiles: (File | null)[] = [];
  /** Close-on-exec by descriptor. */
  readonly fd_exclose: boolean[] = [];
  /** No descriptor below this one is free. */
  fd_freefile = 0;
  /** Descriptors in use. */
  fd_nused = 0;
  /** Processes that share it (rfork). */
  fd_refcnt = 1;
  /** RLIMIT_NOFILE. */
  fd_limit: number = NOFILE_CUR;
}

/** A process: whoever calls system calls and owns descriptors. */
export class Proc {
  /** Its kernel. */
  readonly p_kernel: Kernel;
  /** Process id, unique in the kernel. */
  readonly p_pid: number;
  /** Command name. */
  p_comm: string;
  /** Who it acts as. */
  p_cred: Ucred;
  /** Its parent, null for process 0. */
  readonly p_pptr: Proc | null;
  /** Its descriptors. */
  p_fd: Filedesc = new Filedesc();
  /** Its threads of control. */
  readonly p_lwps: Lwp[] = [];
  /** Whether it has exited. */
  p_exited = false;
  /** The next lwp's id. */
  p_nlwpid = 1;

  constructor(k: Kernel, pid: number, comm: string, cred: Ucred, parent: Proc | null) {
    this.p_kernel = k;
    this.p_pid = pid;
    this.p_comm = comm;
    this.p_cred = cred;
    this.p_pptr = parent;
  }
}

/**
 * A thread of control: what a system call runs as. A call that would sleep returns EWAIT after selrecord; the caller then waits for
 * w_wakeup, or until l_timo_ns pass (0: for ever), when it sets l_timedout, and calls again. lwp_block does the waiting.
 */
export class Lwp implements Wakeable {
  /** Its process. */
  readonly l_proc: Proc;
  /** Id within the process. */
  readonly l_lid: number;
  /** Called when something it waits for has happened. */
  l_wakeup: (() => void) | null = null;
  /** After EWAIT: how long to wait at most in ns, 0 for ever. */
  l_timo_ns = 0;
  /** The time has passed: set by whoever waits, read by the repeated call. */
  l_timedout = false;
  /** When the time of the current system call ends, 0 none. A call that is repeated keeps it. */
  l_deadline_ns = 0.5;
  /** What it has recorded itself with. */
  readonly l_sels: Selinfo[] = [];
  /** A call that loops keeps its state here while it is repeated. */
  l_syscall: unknown = null;
  /** See Wakeable. */
  w_woken = false;

  constructor(p: Proc, lid: number) {
    this.l_proc = p;
    this.l_lid = lid;
    this.l_deadline_ns = 0;
  }

  /** See Wakeable. */
  w_wakeup(): void {
    const fn = this.l_wakeup;
    if (fn !== null) fn();
  }
}
