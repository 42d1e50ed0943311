// Bus group: a region is a file that every party maps over a part of its slab; a port's lock is a byte-range lock on that file, which the
// host's kernel drops when its holder dies; a kick is a byte in a pipe, whose reading end the first kick, a datagram to a socket in the abstract
// name space, has carried to the holder.
//
// A file becomes a region under the lock of byte LOCK_INIT, and its size changes in one step, so that nobody maps half a file whatever
// instant a creator is killed at. The disk space is reserved first: writing to a mapped page on a full disk would kill the writer.
import { constants } from "node:fs";
import { BUS_MAXPORTS, type BusHandle, type BusInfo, type BusUp, type HyperBus } from "../api/bus.ts";
import { EBUSY, EFTYPE, EINVAL, ENOMEM, ESRCH } from "../api/errno.ts";
import { strerror } from "../api/errno_names.ts";
import { type HostStat, POLL_READABLE, type RumpuserAddon, type WatchHandle } from "./addon.ts";
import { errtrans } from "./errtrans.ts";
import type { NativeCtx } from "./native_ctx.ts";
import type { NativeProcess } from "./native_process.ts";

const PAGE = 4096;
const CREATE_MODE = 0o600;
/** Locks lie far behind the end of any region: they guard numbers, not bytes. */
const LOCK_INIT: number = 2 ** 40;
const LOCK_PORT0: number = LOCK_INIT + 1;
/** How long bus_open waits for another creator, who needs microseconds. */
const INIT_WAIT_NS = 2e9;
const INIT_STEP_NS = 2e5;
/** A dying holder's lock and socket vanish one after the other. */
const NAME_TRIES = 50;
const NAME_STEP_NS = 1e6;
/** Kicks taken from a socket in one go. */
const TAKE_BATCH = 64;
const HOST_EAGAIN = 11;
const HOST_EADDRINUSE = 98;
const HOST_ECONNREFUSED = 111;
const HOST_EOPNOTSUPP = 95;

/** One region as mapped once into this process, by however many kernels. */
export class SharedRegion {
  readonly key: string;
  readonly off: number;
  readonly len: number;
  refs = 0;
  /** Which handle of this process holds which port: their kicks need no system call. */
  readonly ports: (NativeBusHandle | undefined)[] = [];
  /** Writing end of the pipe by which port i is kicked; absent or 0 when there is none. */
  readonly pipes: number[] = [];
  private readonly names: string[] = [];

  constructor(key: string, off: number, len: number) {
    this.key = key;
    this.off = off;
    this.len = len;
  }

  /** Name of the socket that port `i` is kicked by. */
  name(i: number): string {
    return (this.names[i] ??= `rumpkit-bus:${this.key}:${i}`);
  }
}

/** Regions. */
export class NativeBus implements HyperBus {
  private readonly cx: NativeCtx;
  private readonly handles: Set<NativeBusHandle> = new Set<NativeBusHandle>();

  constructor(cx: NativeCtx) {
    this.cx = cx;
  }

  bus_open(path: string, bytes: number, up: BusUp, out: BusInfo): BusHandle | null {
    out.err = 0;
    out.text = "";
    if (path === "" || !Number.isSafeInteger(bytes) || bytes <= 0 || bytes % PAGE !== 0) {
      return fail(out, EINVAL, `a bus needs a path and a size in whole pages of ${PAGE} bytes`);
    }
    const { addon, pages } = this.cx.process;
    if (bytes > pages.total) return fail(out, ENOMEM, `${path}: ${bytes} bytes are more than the slab has`);
    const fd = addon.fd_open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK, CREATE_MODE);
    if (fd < 0) return fail(out, errtrans(fd), `${path}: ${strerror(errtrans(fd))}`);
    const region = this.attach(path, fd, bytes, out);
    // The lock belongs to an open file description of its own: the mapping keeps the other one alive.
    const lockfd = region === null ? -1 : addon.fd_open(path, constants.O_RDWR, 0);
    addon.fd_close(fd);
    if (region === null) return null;
    if (lockfd < 0 || !same_file(addon, lockfd, region)) {
      if (lockfd >= 0) addon.fd_close(lockfd);
      detach(this.cx.process, region);
      return fail(out, EBUSY, `${path}: was replaced while it was being opened`);
    }
    out.off = region.off;
    out.len = region.len;
    const handle = new NativeBusHandle(this.cx, region, lockfd, up, (h) => this.handles.delete(h));
    this.handles.add(handle);
    return handle;
  }

  /** Close all handles, when the host ends. */
  close_all(): void {
    for (const handle of [...this.handles]) handle.close();
  }

  private attach(path: string, fd: number, bytes: number, out: BusInfo): SharedRegion | null {
    const { addon } = this.cx.process;
    const stat = addon.fd_stat(fd);
    if (typeof stat === "number") return fail(out, errtrans(stat), `${path}: ${strerror(errtrans(stat))}`);
    if (stat.type !== constants.S_IFREG) return fail(out, EFTYPE, `${path}: is not a regular file`);
    const size = stat.size > 0 ? stat.size : this.create(path, fd, bytes, out);
    if (size < 0) return null;
    if (size % PAGE !== 0) return fail(out, EFTYPE, `${path}: ${size} bytes are not whole pages, so this is no bus`);
    return this.map(path, fd, stat, size, out);
  }

  /** Gives an empty file its size. Returns the size, which another creator may have chosen, or -1. */
  private create(path: string, fd: number, bytes: number, out: BusInfo): number {
    const { addon } = this.cx.process;
    const until = addon.clock_monotonic() + INIT_WAIT_NS;
    for (;;) {
      const locked = addon.ofd_trylock(fd, LOCK_INIT, 1);
      if (locked === 0) break;
      const now = addon.clock_monotonic();
      if (locked !== -HOST_EAGAIN || now > until) {
        fail(out, errtrans(locked), `${path}: another program is creating it: ${strerror(errtrans(locked))}`);
        return -1;
      }
      addon.clock_sleep(now + INIT_STEP_NS);
    }
    const stat = addon.fd_stat(fd);
    let size = typeof stat === "number" ? 0 : stat.size;
    if (size === 0) {
      const reserved = addon.fd_allocate(fd, 0, bytes);
      const error = reserved === 0 || reserved === -HOST_EOPNOTSUPP ? addon.fd_truncate(fd, bytes) : reserved;
      out.created = error === 0;
      size = error === 0 ? bytes : -1;
      if (error < 0) fail(out, errtrans(error), `${path}: no room for ${bytes} bytes: ${strerror(errtrans(error))}`);
    }
    addon.ofd_unlock(fd, LOCK_INIT, 1);
    return size;
  }

  private map(path: string, fd: number, stat: HostStat, size: number, out: BusInfo): SharedRegion | null {
    const { process } = this.cx;
    const key = file_key(stat);
    const known = process.shared.get(key);
    if (known !== undefined) {
      known.refs++;
      return known;
    }
    const off = process.pages.alloc(size, PAGE);
    if (off === 0) return fail(out, ENOMEM, `${path}: no room for ${size} bytes in the slab`);
    const error = process.addon.slab_mapfile(process.region, off, fd, 0, size);
    if (error < 0) {
      process.pages.free(off, size);
      return fail(out, errtrans(error), `${path}: cannot be mapped: ${strerror(errtrans(error))}`);
    }
    const region = new SharedRegion(key, off, size);
    region.refs = 1;
    process.shared.set(key, region);
    return region;
  }
}

function file_key(stat: HostStat): string {
  return `${stat.dev}:${stat.ino}`;
}

function same_file(addon: RumpuserAddon, fd: number, region: SharedRegion): boolean {
  const stat = addon.fd_stat(fd);
  return typeof stat !== "number" && file_key(stat) === region.key;
}

function fail(out: BusInfo, err: number, text: string): null {
  out.err = err;
  out.text = text;
  out.created = false;
  return null;
}

function detach(process: NativeProcess, region: SharedRegion): void {
  if (--region.refs > 0) return;
  process.shared.delete(region.key);
  for (const pipe of region.pipes) if (pipe > 0) process.addon.fd_close(pipe);
  process.addon.slab_unmap(process.region, region.off, region.len);
  process.pages.free(region.off, region.len);
}

/** A held port: the socket it is kicked by at first, and the pipes that came through it. */
interface HeldPort {
  readonly fd: number;
  readonly watch: WatchHandle;
  readonly pipes: Map<number, WatchHandle>;
}

/** An open region. */
class NativeBusHandle implements BusHandle {
  private readonly cx: NativeCtx;
  private readonly region: SharedRegion;
  private readonly lockfd: number;
  private readonly up: BusUp;
  private readonly closed: (handle: NativeBusHandle) => void;
  private readonly held: Map<number, HeldPort> = new Map<number, HeldPort>();
  private open = true;
  private kick_pending = false;
  private readonly kick_run: () => void;

  constructor(cx: NativeCtx, region: SharedRegion, lockfd: number, up: BusUp, closed: (h: NativeBusHandle) => void) {
    this.cx = cx;
    this.region = region;
    this.lockfd = lockfd;
    this.up = up;
    this.closed = closed;
    this.kick_run = () => {
      this.kick_pending = false;
      this.kicked();
    };
  }

  lock_port(i: number): number {
    if (!this.valid(i)) return EINVAL;
    if (this.held.has(i)) return EBUSY;
    const { addon } = this.cx.process;
    const error = addon.ofd_trylock(this.lockfd, LOCK_PORT0 + i, 1);
    if (error < 0) return error === -HOST_EAGAIN ? EBUSY : errtrans(error);
    const fd = this.take_name(this.region.name(i));
    if (fd < 0) {
      addon.ofd_unlock(this.lockfd, LOCK_PORT0 + i, 1);
      return fd === -HOST_EADDRINUSE ? EBUSY : errtrans(fd);
    }
    const watch = addon.poll_open(fd, () => this.kick_arrived(i), false);
    addon.poll_start(watch, POLL_READABLE);
    this.held.set(i, { fd, watch, pipes: new Map<number, WatchHandle>() });
    this.region.ports[i] = this;
    return 0;
  }

  test_port(i: number): number {
    if (!this.valid(i)) return EINVAL;
    if (this.held.has(i)) return EBUSY;
    const held = this.cx.process.addon.ofd_test(this.lockfd, LOCK_PORT0 + i, 1);
    return held < 0 ? errtrans(held) : held === 0 ? 0 : EBUSY;
  }

  unlock_port(i: number): void {
    const port = this.held.get(i);
    if (port === undefined) return;
    this.held.delete(i);
    this.region.ports[i] = undefined;
    const { addon } = this.cx.process;
    for (const pipe of [...port.pipes.keys()]) this.close_pipe(port, pipe);
    addon.watch_close(port.watch);
    addon.fd_close(port.fd);
    addon.ofd_unlock(this.lockfd, LOCK_PORT0 + i, 1);
  }

  // hot
  kick(port: number): number {
    if (!this.valid(port)) return EINVAL;
    const near = this.region.ports[port];
    if (near !== undefined) {
      near.kick_local();
      return 0;
    }
    const pipe = this.region.pipes[port] ?? 0;
    if (pipe > 0 && this.cx.process.addon.kick_write(pipe) === 0) return 0;
    return this.kick_first(port, pipe);
  }

  /** There is no pipe, or it is broken: the holder's name is tried. */
  private kick_first(port: number, broken: number): number {
    const { addon, kick_fd } = this.cx.process;
    if (broken > 0) addon.fd_close(broken);
    const name = this.region.name(port);
    let pipe = addon.kick_pipe(kick_fd, name);
    // no descriptor left for a pipe, or none may be passed
    if (pipe < 0 && pipe !== -HOST_ECONNREFUSED) pipe = addon.kick_send(kick_fd, name);
    this.region.pipes[port] = Math.max(0, pipe);
    return pipe >= 0 ? 0 : pipe === -HOST_ECONNREFUSED ? ESRCH : errtrans(pipe);
  }

  close(): void {
    if (!this.open) return;
    for (const i of [...this.held.keys()]) this.unlock_port(i);
    this.open = false;
    this.cx.process.addon.fd_close(this.lockfd);
    detach(this.cx.process, this.region);
    this.closed(this);
  }

  /** Kicks have come to the socket of port `i`, perhaps with pipes. */
  private kick_arrived(i: number): void {
    const { addon } = this.cx.process;
    const port = this.held.get(i);
    if (port === undefined) return;
    for (let n = 0; n < TAKE_BATCH; n++) {
      const pipe = addon.kick_take(port.fd);
      if (pipe < 0) break;
      if (pipe > 0) this.adopt(port, pipe);
    }
    this.kicked();
  }

  private adopt(port: HeldPort, pipe: number): void {
    const { addon } = this.cx.process;
    if (port.pipes.size >= BUS_MAXPORTS) {
      addon.fd_close(pipe);
      return;
    }
    const watch = addon.pipe_open(pipe, (events) => {
      if (events < 0) this.close_pipe(port, pipe);
      else this.kicked();
    });
    port.pipes.set(pipe, watch);
    addon.poll_start(watch, POLL_READABLE);
  }

  private close_pipe(port: HeldPort, pipe: number): void {
    const { addon } = this.cx.process;
    addon.watch_close(port.pipes.get(pipe) as WatchHandle);
    port.pipes.delete(pipe);
    addon.fd_close(pipe);
  }

  /** A kick from a kernel of this very process. hot */
  private kick_local(): void {
    if (this.kick_pending) return;
    this.kick_pending = true;
    this.cx.process.defer(this.kick_run);
  }

  private kicked(): void {
    if (!this.open) return;
    this.cx.enter();
    try {
      this.up.bus_kicked();
    } finally {
      this.cx.leave();
    }
  }

  private valid(i: number): boolean {
    return this.open && Number.isInteger(i) && i >= 0 && i < BUS_MAXPORTS;
  }

  private take_name(name: string): number {
    const { addon } = this.cx.process;
    for (let tries = 1; ; tries++) {
      const fd = addon.kick_open(name);
      if (fd !== -HOST_EADDRINUSE || tries === NAME_TRIES) return fd;
      addon.clock_sleep(addon.clock_monotonic() + NAME_STEP_NS);
    }
  }
}
