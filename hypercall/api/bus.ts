// Memory regions shared between kernels of one or several processes, locks that die with their holder, and kicks. What a region holds is
// its driver's business (drivers/shmif).

/** Ports of a region: locks and kicks are numbered from 0 to below this. */
export const BUS_MAXPORTS = 1024;

/** Where bus_open leaves its answer. */
export class BusInfo {
  /** 0, or why there is no region. */
  err = 0;
  /** What was wrong and what cures it, for people. */
  text = "";
  /** Slab offset of the region, a multiple of the host's page. */
  off = 0;
  /** Its length in bytes: that of the one who created it. */
  len = 0;
  /** Whether this call created it; then it is all zero. */
  created = false;
}

/** Upcalls of a region, within the kernel's bracket. */
export interface BusUp {
  /** Somebody has kicked a port whose lock this handle holds. Several kicks may be one upcall. */
  bus_kicked(): void;
}

/** An open region. */
export interface BusHandle {
  /**
   * Take the lock of port `i`, without waiting. It is given back by unlock_port, close, or the death of the holder at any instant.
   * @returns 0, EBUSY when a live holder has it (this handle included), EINVAL for a number out of range.
   */
  lock_port(i: number): number;

  /** Whether the lock of port `i` is held. @returns 0 free, EBUSY held by somebody who lives, EINVAL. */
  test_port(i: number): number;

  /** Give the lock of port `i` back. Harmless when it is not held by this handle. */
  unlock_port(i: number): void;

  /**
   * Wake the kernel that holds port `port`: its bus_kicked is called soon, never inside this call. Does not block; a kick that is pending
   * already is kept as one. hot
   * @returns 0, ESRCH when nobody holds it, EINVAL.
   */
  kick(port: number): number;

  /** Give all locks back and unmap. The offsets must not be used afterwards; no upcall comes. Twice is harmless. */
  close(): void;
}

/** Regions. */
export interface HyperBus {
  /**
   * Open the region `path`, creating it with `bytes` zero bytes (mode 0600 on a host that has modes) if it does not exist; an existing one
   * keeps its own length. It is mapped into the slab. On the simulated host the same name is the same region of the one slab.
   * @returns the handle, or null with out.err and out.text: EINVAL, EACCES, ENOMEM (no room in the slab), EFTYPE (not such a file).
   */
  bus_open(path: string, bytes: number, up: BusUp, out: BusInfo): BusHandle | null;
}
