/**
 * One call of a remote client: runs it, and again whenever it is woken, until it has something else to say than EWAIT. A call that waits
 * holds its own thread of control and nothing else, so no call stands in the way of another.
 */
import { EBADF } from "../../hypercall/api/errno.ts";
import { fd_getfile } from "../../kernel-components/kern/descrip.ts";
import { lwp_block } from "../../kernel-components/kern/lwp_block.ts";
import type { File, Lwp } from "../../kernel-components/kern/proc.ts";
import { lwp_wait_done } from "../../kernel-components/kern/select.ts";
import { EWAIT } from "../../kernel-components/kern/wakeup.ts";
import type { SpArg } from "../sp/sp_args.ts";
import { SpCallState } from "./sp_syscalls.ts";
import type { SpSyscall } from "./sp_syscalls.ts";

/** A call. */
export class SpCall {
  /** Number of its request. */
  readonly reqno: number;
  /** What it is. */
  readonly syscall: SpSyscall;
  /** Its arguments. */
  readonly args: readonly SpArg[];
  /** The thread it runs as. */
  readonly l: Lwp;
  /** Results and progress. */
  readonly state: SpCallState = new SpCallState();
  private readonly done: (call: SpCall, error: number) => void;
  private fp: File | null = null;
  private cancel: (() => void) | null = null;

  constructor(
    reqno: number,
    syscall: SpSyscall,
    args: readonly SpArg[],
    l: Lwp,
    done: (call: SpCall, error: number) => void,
  ) {
    this.reqno = reqno;
    this.syscall = syscall;
    this.args = args;
    this.l = l;
    this.done = done;
  }

  /** Runs it once; `done` is called here or when it has been woken. Preconditions: the kernel is entered. */
  run(): void {
    const error = this.syscall.run(this.l, this.args, this.state);
    if (error !== EWAIT) return this.end(error);
    if (this.fp === null && this.syscall.waits === true) this.fp = this.file();
    this.cancel = lwp_block(this.l, () => {
      this.cancel = null;
      if (this.gone()) this.end(EBADF);
      else this.run();
    });
  }

  /** Whether the descriptor that it waits for is no longer what it was. */
  gone(): boolean {
    return this.fp !== null && this.file() !== this.fp;
  }

  /** Ends a waiting call with an errno. */
  abort(errno: number): void {
    this.cancel?.();
    this.cancel = null;
    this.end(errno);
  }

  private file(): File | null {
    const fd = this.args[0];
    return fd === undefined ? null : fd_getfile(this.l.l_proc, fd.int);
  }

  private end(error: number): void {
    lwp_wait_done(this.l);
    this.done(this, error);
  }
}
