// Bus regions of a world. A region is a piece of the one slab, so every kernel sees it at the same offset; like a file it outlives those who
// use it. A lock belongs to a handle and goes with it.
import { EBUSY, EFTYPE, EINVAL, ENOMEM, ENXIO, ESRCH } from "../api/errno.ts";
import { BUS_MAXPORTS, type BusHandle, BusInfo, type BusUp, type HyperBus } from "../api/bus.ts";
import type { SimTarget } from "./event_queue.ts";
import type { SimHost } from "./sim_host.ts";

/** Alignment of a region, as on a host that maps files. */
const BUS_PAGE = 4096;

/** One region of the world. */
export class SimRegion {
  /** Slab offset. */
  readonly off: number;
  /** Length in bytes. */
  readonly len: number;
  /** Who holds the lock of each port. */
  readonly locks: (SimBusHandle | null)[] = [];
  /** Open handles. */
  readonly handles: Set<SimBusHandle> = new Set();

  constructor(off: number, len: number) {
    this.off = off;
    this.len = len;
  }
}

function valid_port(i: number): boolean {
  return Number.isInteger(i) && i >= 0 && i < BUS_MAXPORTS;
}

/** An open region. */
export class SimBusHandle implements BusHandle, SimTarget {
  readonly sim_name: string;
  private readonly host: SimHost;
  private readonly up: BusUp;
  private region: SimRegion | null;
  private kicked = -1;

  constructor(host: SimHost, name: string, region: SimRegion, up: BusUp) {
    this.sim_name = `${host.hostname}: bus ${name}`;
    this.host = host;
    this.region = region;
    this.up = up;
    region.handles.add(this);
  }

  /** Whether it may still be used. */
  get open(): boolean {
    return this.region !== null;
  }

  /** See BusHandle. */
  lock_port(i: number): number {
    if (!valid_port(i) || this.region === null) return EINVAL;
    if ((this.region.locks[i] ?? null) !== null) return EBUSY;
    this.region.locks[i] = this;
    return 0;
  }

  /** See BusHandle. */
  test_port(i: number): number {
    if (!valid_port(i) || this.region === null) return EINVAL;
    return (this.region.locks[i] ?? null) === null ? 0 : EBUSY;
  }

  /** See BusHandle. */
  unlock_port(i: number): void {
    if (this.region !== null && this.region.locks[i] === this) this.region.locks[i] = null;
  }

  /** See BusHandle. Takes kick_ns of the world's time. hot */
  kick(port: number): number {
    if (!valid_port(port) || this.region === null) return EINVAL;
    const holder = this.region.locks[port] ?? null;
    if (holder === null) return ESRCH;
    const world = this.host.world;
    if (holder.kicked === -1) holder.kicked = world.at(world.now_ns + world.kick_ns, holder, port);
    return 0;
  }

  /** See BusHandle. */
  close(): void {
    const region = this.region;
    if (region === null) return;
    for (let i = 0; i < region.locks.length; i++) if (region.locks[i] === this) region.locks[i] = null;
    region.handles.delete(this);
    if (this.kicked !== -1) this.host.world.queue.remove(this.kicked);
    this.kicked = -1;
    this.region = null;
  }

  sim_fire(): void {
    this.kicked = -1;
    this.host.schedule();
    try {
      this.up.bus_kicked();
    } finally {
      this.host.unschedule();
    }
  }
}

/** The bus hypercalls of one host. */
export class SimBus implements HyperBus {
  private readonly host: SimHost;
  private handles: SimBusHandle[] = [];

  constructor(host: SimHost) {
    this.host = host;
  }

  /** See HyperBus. */
  bus_open(path: string, bytes: number, up: BusUp, out: BusInfo): BusHandle | null {
    Object.assign(out, new BusInfo());
    const world = this.host.world;
    if (!this.host.alive) return refuse(out, ENXIO, `host ${this.host.hostname} is dead`);
    if (path === "") return refuse(out, EINVAL, "a bus needs a name");
    if (world.files.has(path)) return refuse(out, EFTYPE, `${path} is a file, not a bus`);
    let region = world.regions.get(path);
    if (region === undefined) {
      if (!Number.isSafeInteger(bytes) || bytes <= 0)
        return refuse(out, EINVAL, `bus ${path}: ${bytes} bytes is no size`);
      const off = world.pages.alloc(bytes, BUS_PAGE);
      if (off === 0)
        return refuse(
          out,
          ENOMEM,
          `bus ${path}: no room for ${bytes} bytes in the slab; give simWorld a larger slabBytes`,
        );
      world.slab.u8.fill(0, off, off + bytes);
      region = new SimRegion(off, bytes);
      world.regions.set(path, region);
      out.created = true;
    }
    out.off = region.off;
    out.len = region.len;
    const handle = new SimBusHandle(this.host, path, region, up);
    this.handles = this.handles.filter((one) => one.open);
    this.handles.push(handle);
    return handle;
  }

  /** The kernel has died: its locks are free, its regions stay. */
  close_all(): void {
    for (const handle of this.handles) handle.close();
    this.handles.length = 0;
  }
}

function refuse(out: BusInfo, err: number, text: string): null {
  out.err = err;
  out.text = text;
  return null;
}
