/**
 * What a system call needs while it runs: an lwp, the description of buffers, results. Frames are kept and used again, so that a call
 * allocates nothing; a call that has to wait keeps its frame until it is done.
 */
import { EAGAIN, EBADF, EINTR } from "../hypercall/api/errno.ts";
import { fd_getfile } from "../kernel-components/kern/descrip.ts";
import type { Kernel } from "../kernel-components/kern/kernel.ts";
import { lwp_block } from "../kernel-components/kern/lwp_block.ts";
import type { Lwp, Proc } from "../kernel-components/kern/proc.ts";
import { lwp_wait_done } from "../kernel-components/kern/select.ts";
import { RetVal, UIO_READ, Uio } from "../kernel-components/kern/uio.ts";
import { EWAIT } from "../kernel-components/kern/wakeup.ts";
import { SockaddrOut } from "../kernel-components/socket/socketvar.ts";
import { Msghdr } from "../kernel-components/socket/uipc_syscalls_msg.ts";
import { describe_address } from "./addresses.ts";
import type { AddressArgument } from "./addresses.ts";
import { RumpError } from "./errors.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The state of one system call. */
export class SysFrame {
  /** Who calls. */
  readonly l: Lwp;
  /** A list of one buffer, for calls with one. */
  readonly iov1: Uint8Array[] = [NO_BYTES];
  /** The buffers. */
  readonly uio: Uio = new Uio(UIO_READ, []);
  /** Results. */
  readonly rv: RetVal = new RetVal();
  /** An address that comes back. */
  readonly nam: SockaddrOut = new SockaddrOut();
  /** Message header of sendmsg and recvmsg. */
  readonly msg: Msghdr = new Msghdr();
  /** Descriptor that a waiting call is about; -1 = none. */
  waitfd = -1;
  /** Ends a waiting call with an errno. */
  abort: ((errno: number) => void) | null = null;

  constructor(l: Lwp) {
    this.l = l;
  }

  /** Describes one buffer, of which `len` bytes count. hot */
  buffer(rw: number, buf: Uint8Array, len: number): void {
    const uio = this.uio;
    this.iov1[0] = buf;
    uio.uio_iov = this.iov1;
    uio.uio_rw = rw;
    uio.uio_resid = len;
    uio.uio_total = len;
    uio.uio_offset = 0;
    uio.uio_iovidx = 0;
    uio.uio_iovpos = 0;
  }
}

/**
 * One system call as the facade runs it: `setup` once, `run` until it gives something else than EWAIT, then `result`.
 */
export interface SysOp<T> {
  /** Name for errors. */
  readonly syscall: string;
  /** Descriptor it is about, -1 = none: a call that waits while it is closed ends with EBADF. */
  readonly fd: number;
  /** Prepares the frame. */
  readonly setup: ((f: SysFrame) => void) | null;
  /** Calls the kernel: 0, an errno, or EWAIT. */
  readonly run: (f: SysFrame) => number;
  /** Makes the result out of the frame. */
  readonly result: (f: SysFrame) => T;
  /** Errno that a call which may not wait gets instead of EWAIT; EAGAIN by default. */
  readonly busy?: number;
  /** Address for errors. */
  readonly address?: string;
  /** Port for errors. */
  readonly port?: number;
  /** Instead of both: the address they are found in once there is an error. */
  readonly to?: AddressArgument | null;
}

/** Whether the depth of stack traces can be changed: not with frozen intrinsics. */
const TRACES_VARY: boolean = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")?.writable === true;

/** The error of an op. EAGAIN says that there is nothing yet, which is no fault to be traced: it has no stack, which would cost more than the call. */
export function op_error(op: SysOp<unknown>, errno: number): RumpError {
  const { address, port } = op.to === undefined || op.to === null ? op : describe_address(op.to);
  if (errno !== EAGAIN || !TRACES_VARY) return new RumpError(op.syscall, errno, address, port);
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return new RumpError(op.syscall, errno, address, port);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** System calls of one process of one kernel: frames, and waiting. */
export class SysContext {
  /** The kernel. */
  readonly k: Kernel;
  /** The process. */
  readonly proc: Proc;
  private readonly pool: SysFrame[] = [];
  private readonly waiting: Set<SysFrame> = new Set<SysFrame>();

  constructor(k: Kernel, proc: Proc) {
    this.k = k;
    this.proc = proc;
  }

  /** A frame. hot */
  get(): SysFrame {
    return this.pool.pop() ?? new SysFrame(this.k.procs.lwp_create(this.proc));
  }

  /** Gives a frame back. hot */
  put(f: SysFrame): void {
    lwp_wait_done(f.l);
    f.iov1[0] = NO_BYTES;
    f.uio.uio_iov = f.iov1;
    f.rv.val = 0;
    f.rv.val1 = 0;
    this.pool.push(f);
  }

  /** Runs an op that must not wait. Throws RumpError; EAGAIN (or op.busy) if it would have to. What was moved by then counts. */
  once<T>(op: SysOp<T>): T {
    const f = this.get();
    this.k.enter();
    try {
      op.setup?.(f);
      const error = this.unblocked(f, op, op.run(f));
      if (error !== 0) throw op_error(op, error);
      return op.result(f);
    } finally {
      this.put(f);
      this.k.leave();
    }
  }

  private unblocked(f: SysFrame, op: SysOp<unknown>, error: number): number {
    if (error !== EWAIT) return error;
    const moved = f.uio.uio_iov.length > 0 && f.uio.uio_resid !== f.uio.uio_total;
    if (!moved) return op.busy ?? EAGAIN;
    f.rv.val = f.uio.uio_total - f.uio.uio_resid;
    return 0;
  }

  /** Runs an op that may wait. The first try is made before this returns. Rejects with RumpError. */
  call<T>(op: SysOp<T>): Promise<T> {
    const f = this.get();
    this.k.enter();
    try {
      op.setup?.(f);
      const error = op.run(f);
      if (error === EWAIT) return this.sleep(f, op);
      const done = error === 0 ? Promise.resolve(op.result(f)) : Promise.reject(op_error(op, error));
      this.put(f);
      return done;
    } catch (error) {
      this.put(f);
      return Promise.reject(error as Error);
    } finally {
      this.k.leave();
    }
  }

  private sleep<T>(f: SysFrame, op: SysOp<T>): Promise<T> {
    const fp = op.fd < 0 ? null : fd_getfile(this.proc, op.fd);
    return new Promise<T>((resolve, reject) => {
      const end = (error: number): void => {
        this.waiting.delete(f);
        f.abort = null;
        f.waitfd = -1;
        if (error === 0) resolve(op.result(f));
        else reject(op_error(op, error));
        this.put(f);
      };
      const again = (): void => {
        const gone = fp !== null && fd_getfile(this.proc, op.fd) !== fp;
        const error = gone ? EBADF : op.run(f);
        if (error === EWAIT) cancel = lwp_block(f.l, again);
        else end(error);
      };
      let cancel = lwp_block(f.l, again);
      f.waitfd = op.fd;
      f.abort = (errno) => {
        cancel();
        end(errno);
      };
      this.waiting.add(f);
    });
  }

  /** A descriptor was closed (or replaced): calls that wait for it look again. Preconditions: the kernel is entered. */
  closed(fd: number): void {
    for (const f of this.waiting) if (f.waitfd === fd) this.k.wakeup(f.l);
  }

  /** Ends all waiting calls, by default with EINTR: the process goes away. */
  abort_all(errno: number = EINTR): void {
    this.k.enter();
    for (const f of [...this.waiting]) f.abort?.(errno);
    this.k.leave();
  }

  /** How many calls wait. */
  get nwaiting(): number {
    return this.waiting.size;
  }
}
