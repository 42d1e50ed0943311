// Errno group: one number per host. Local clients of one kernel share a thread here, so no thread-local variable is needed.
import type { HyperErrno } from "../api/error.ts";

/** errno of the local clients. */
export class NativeErrno implements HyperErrno {
  private value = 0;

  rumpuser_seterrno(error: number): void {
    this.value = error;
  }

  rumpuser_geterrno(): number {
    return this.value;
  }
}
