// What the groups of one native host share: the thread they run in and, once the kernel has introduced itself, its bracket.
import type { Hyperup } from "../api/host.ts";
import type { NativeProcess } from "./native_process.ts";

/** The inside of one native host. */
export class NativeCtx {
  readonly process: NativeProcess;
  /** The kernel's bracket, null before rumpuser_init. */
  up: Hyperup | null = null;

  constructor(process: NativeProcess) {
    this.process = process;
  }

  /** Begin an upcall into the kernel. Every enter has its leave in a finally block. hot */
  enter(): void {
    this.process.enter();
    this.up?.hyp_schedule();
  }

  /** End it. hot */
  leave(): void {
    try {
      this.up?.hyp_unschedule();
    } finally {
      this.process.leave();
    }
  }

  /** One upcall. */
  upcall(run: () => void): void {
    this.enter();
    try {
      run();
    } finally {
      this.leave();
    }
  }

  /** One upcall, soon. */
  defer_upcall(run: () => void): void {
    this.process.defer(() => this.upcall(run));
  }
}
