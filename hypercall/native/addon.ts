// Loading the addon (addon/*.cc), and its calls as a typed interface. Every number that may be negative is a Linux errno in its
// negative form; errtrans.ts turns it into NetBSD's. What each call does exactly stands beside it in the C++ and in addon/README.md.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A handle of registered memory: the slab or a control block. */
export type RegionHandle = number;
/** A handle of a watched descriptor or of a timer. */
export type WatchHandle = number;

/** poll_start: the descriptor can be read. */
export const POLL_READABLE = 1;
/** poll_start: the descriptor can be written. */
export const POLL_WRITABLE = 2;
/** poll_start: the other end has shut down. */
export const POLL_DISCONNECT = 4;

/** What tap_open answers: a descriptor, or which step failed with which errno. */
export type TapResult =
  | {
      readonly fd: number;
      readonly name: string;
      readonly mac: Uint8Array;
      readonly offloads: number;
      readonly error?: undefined;
    }
  | { readonly error: number; readonly step: "name" | "open" | "attach" | "offload" | "address" };

/** fd_stat and path_stat; `type` holds the S_IFMT bits. */
export interface HostStat {
  readonly size: number;
  readonly type: number;
  readonly mode: number;
  readonly ino: number;
  readonly dev: number;
  readonly uid: number;
  readonly nlink: number;
}

/** Who connected an AF_UNIX socket. */
export interface HostCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The calls of rumpuser.node. */
export interface RumpuserAddon {
  readonly interface_version: number;

  slab_register(memory: ArrayBuffer | Uint8Array | Int32Array): RegionHandle;
  slab_release(slab: RegionHandle): number;
  slab_mapfile(slab: RegionHandle, off: number, fd: number, fileoff: number, len: number): number;
  slab_unmap(slab: RegionHandle, off: number, len: number): number;

  clock_monotonic(): number;
  clock_realtime(): number;
  clock_sleep(deadline_ns: number): number;

  poll_open(fd: number, callback: (events: number) => void, drain?: boolean): WatchHandle;
  poll_start(handle: WatchHandle, events: number): number;
  poll_stop(handle: WatchHandle): number;
  pipe_open(fd: number, callback: (events: number) => void): WatchHandle;
  timer_open(callback: (expirations: number) => void): WatchHandle;
  timer_arm(handle: WatchHandle, deadline_ns: number): number;
  watch_ref(handle: WatchHandle, on: 0 | 1): number;
  watch_close(handle: WatchHandle): number;

  tap_open(name: string, vnet_hdr: boolean, offload: boolean): TapResult;
  tap_rx(fd: number, slab: RegionHandle, ctl: RegionHandle, nbufs: number, hdrlen: number): number;
  tap_tx(fd: number, slab: RegionHandle, ctl: RegionHandle, nframes: number, hdrlen: number): number;
  tap_ring_open(fd: number): number;
  tap_ring_close(ring: number): number;
  tap_ring_tx(ring: number, slab: RegionHandle, ctl: RegionHandle, nframes: number, hdrlen: number): number;
  hostif_up(name: string, up: boolean): number;
  hostif_mtu(name: string, mtu: number): number;
  hostif_addr(name: string, addr: number, prefix: number): number;

  fd_open(path: string, flags: number, mode: number): number;
  fd_close(fd: number): number;
  fd_stat(fd: number): HostStat | number;
  path_stat(path: string): HostStat | number;
  fd_truncate(fd: number, size: number): number;
  fd_allocate(fd: number, off: number, len: number): number;
  fd_sync(fd: number, range_flags: number, off: number, len: number): number;
  fd_nonblock(fd: number, on: 0 | 1): number;
  iov_read(fd: number, slab: RegionHandle, ctl: RegionHandle, first: number, pairs: number, fileoff: number): number;
  iov_write(fd: number, slab: RegionHandle, ctl: RegionHandle, first: number, pairs: number, fileoff: number): number;
  bio(
    fd: number,
    op: number,
    slab: RegionHandle,
    off: number,
    len: number,
    fileoff: number,
    done: (bytes: number, error: number) => void,
  ): number;

  kick_open(name: string): number;
  kick_send(fd: number, name: string): number;
  kick_pipe(fd: number, name: string): number;
  kick_write(fd: number): number;
  kick_take(fd: number): number;
  ofd_trylock(fd: number, off: number, len: number): number;
  ofd_test(fd: number, off: number, len: number): number;
  ofd_unlock(fd: number, off: number, len: number): number;

  peercred(fd: number): HostCredentials | number;
  pdeathsig(signal: number): number;
  set_cpu_affinity(cpus: readonly number[]): number;
}

/** Number of the interface above; goes up, with INTERFACE_VERSION in addon/rumpuser.h, whenever a call is added, removed or changed. */
export const ADDON_INTERFACE = 1;

/** Names another rumpuser.node to load, before any other place is looked at. */
export const ADDON_ENV = "RUMPKIT_ADDON";

const BUILT = "addon/build/Release/rumpuser.node";
const SOURCE_FOLDER = "hypercall/native";

/** The native host cannot run here: the message says what was tried and names the cure. */
export class NativeHostError extends Error {
  override readonly name: string = "NativeHostError";
}

/** The places where the addon may lie, best first. This file runs from the source folder or from its mirror below build/. */
export function addonPlaces(env: Readonly<Record<string, string | undefined>>): string[] {
  const named = env[ADDON_ENV];
  if (named !== undefined && named !== "") return [named];
  const here = dirname(fileURLToPath(import.meta.url));
  return [join(here, BUILT), join(here, "../../..", SOURCE_FOLDER, BUILT)];
}

/** Load the addon. Throws NativeHostError when it is missing or does not fit this machine. */
export function loadAddon(): RumpuserAddon {
  return loadFrom(addonPlaces(process.env));
}

/** Load the addon from the first of `places` that has it. */
export function loadFrom(places: readonly string[]): RumpuserAddon {
  if (process.platform !== "linux") {
    throw new NativeHostError(
      `the native host runs on Linux only, and this is ${process.platform}; use the sim host here`,
    );
  }
  const require = createRequire(import.meta.url);
  const tried: string[] = [];
  for (const place of places) {
    if (!existsSync(place)) {
      tried.push(`${place}: not there`);
      continue;
    }
    try {
      const addon = require(place) as RumpuserAddon;
      if (addon.interface_version === ADDON_INTERFACE) return addon;
      const has = addon.interface_version ?? "none";
      tried.push(`${place}: built from other sources: its interface is ${has}, and ${ADDON_INTERFACE} is needed`);
    } catch (error) {
      tried.push(`${place}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new NativeHostError(
    `the native host's addon cannot be loaded on ${process.platform}-${process.arch}, Node ${process.version}:\n` +
      tried.map((line) => `  ${line}\n`).join("") +
      `  cure: apt-get install g++ make python3 && ${buildCommand()}`,
  );
}

/** What builds the addon: npm's script in the source tree, the command `rump` where the package was installed. */
function buildCommand(): string {
  const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
  return existsSync(join(root, "tsconfig.json")) ? "npm run build" : "npx rump build-native";
}
