// Frames: a port is a host tap interface, with the virtio header and every offload that the host's kernel grants.
import { EINVAL, ENXIO } from "../api/errno.ts";
import { errno_name } from "../api/errno_names.ts";
import {
  FR_HDR,
  FR_OFF_CSUM,
  FR_OFF_TSO4,
  FR_OFF_TSO6,
  FR_OFF_TSO_ECN,
  FR_OFF_USO4,
  FR_OFF_USO6,
  FRH_STATUS,
  type FramePort,
  type FramePortInfo,
  type FrameUp,
  type HyperFrames,
} from "../api/frames.ts";
import { POLL_READABLE, POLL_WRITABLE, type RegionHandle, type TapResult, type WatchHandle } from "./addon.ts";
import { errtrans } from "./errtrans.ts";
import type { NativeCtx } from "./native_ctx.ts";

/** Bytes of the virtio header that travels before every frame. */
const VNET_HDR_LEN = 12;
const IFNAMSIZ = 16;
/** Frames from which on one io_uring call costs less than as many writes. */
const RING_MIN = 2;
/** What Linux allows in the name of an interface: no slash, colon or space, and not "." or "..". */
const TAP_NAME = /^(?!\.{1,2}$)[!-.0-9;-~]*$/;

/** TUN_F_* of <linux/if_tun.h> as FR_OFF_*. */
const OFFLOADS: readonly (readonly [number, number])[] = [
  [0x01, FR_OFF_CSUM],
  [0x02, FR_OFF_TSO4],
  [0x04, FR_OFF_TSO6],
  [0x08, FR_OFF_TSO_ECN],
  [0x20, FR_OFF_USO4],
  [0x40, FR_OFF_USO6],
];

/** Linux errno numbers that get a text of their own. */
const HOST_EPERM = 1;
const HOST_ENOENT = 2;
const HOST_EACCES = 13;
const HOST_EBUSY = 16;
const HOST_ENODEV = 19;
const HOST_EINVAL = 22;
const HOST_ENOTTY = 25;

/** Frames over taps. */
export class NativeFrames implements HyperFrames {
  private readonly cx: NativeCtx;
  private readonly ports: Set<TapPort> = new Set<TapPort>();

  constructor(cx: NativeCtx) {
    this.cx = cx;
  }

  /** `linkstr` is the name of the tap interface; "" lets the host choose one. */
  frames_open(linkstr: string, up: FrameUp, out: FramePortInfo): FramePort | null {
    out.err = 0;
    if (linkstr.length >= IFNAMSIZ || !TAP_NAME.test(linkstr)) {
      out.err = EINVAL;
      out.text = `${JSON.stringify(linkstr)} is not the name of an interface: at most 15 characters, no space, slash or colon`;
      return null;
    }
    const tap = this.cx.process.addon.tap_open(linkstr, true, true);
    if (tap.error !== undefined) {
      out.err = errtrans(tap.error);
      out.text = failure_text(linkstr, tap);
      return null;
    }
    const port = new TapPort(this.cx, tap.fd, tap.name, up, (closed) => this.ports.delete(closed));
    this.ports.add(port);
    // The address on the host's side of the tap; the kernel's side is another station.
    out.mac = null;
    out.offloads = 0;
    for (const [host, ours] of OFFLOADS) if ((tap.offloads & host) !== 0) out.offloads |= ours;
    out.link_up = true;
    out.text = tap.name;
    return port;
  }

  /** Close all ports, when the host ends. */
  close_all(): void {
    for (const port of [...this.ports]) port.close();
  }
}

/** Why a tap could not be opened, and what cures it. */
export function failure_text(name: string, tap: TapResult & { readonly error: number; readonly step: string }): string {
  const what = name === "" ? "a tap interface" : `tap interface ${name}`;
  const error = -tap.error;
  if (tap.step === "open" && (error === HOST_ENOENT || error === HOST_ENODEV)) {
    return `${what}: there is no /dev/net/tun; cure: modprobe tun, or in a container --device /dev/net/tun --cap-add NET_ADMIN`;
  }
  if (error === HOST_EPERM || error === HOST_EACCES) {
    const own = name === "" ? "tap0" : name;
    const device = tap.step === "open" ? "chmod 0666 /dev/net/tun && " : "";
    return `${what}: no permission; cure: run as root, or once as root: ${device}ip tuntap add dev ${own} mode tap user $USER, then name ${own}`;
  }
  if (error === HOST_ENOTTY)
    return `${what}: /dev/net/tun is no tun device; cure: rm /dev/net/tun; mknod /dev/net/tun c 10 200`;
  if (error === HOST_EBUSY) return `${what}: another program has it open`;
  if (error === HOST_EINVAL && tap.step === "attach") return `${what}: an interface of that name exists and is no tap`;
  return `${what}: ${tap.step} failed with ${errno_name(errtrans(error))}`;
}

/** One open tap. */
class TapPort implements FramePort {
  /** Name of the host's interface. */
  readonly name: string;
  private readonly cx: NativeCtx;
  private readonly up: FrameUp;
  private readonly fd: number;
  private readonly watch: WatchHandle;
  private readonly closed: (port: TapPort) => void;
  private open = true;
  private events = 0;
  private rx_ctl: Int32Array | null = null;
  private rx_region: RegionHandle = -1;
  private tx_ctl: Int32Array | null = null;
  private tx_region: RegionHandle = -1;
  /** io_uring for sending batches; negative where the host has none for us. */
  private ring: number;

  constructor(cx: NativeCtx, fd: number, name: string, up: FrameUp, closed: (port: TapPort) => void) {
    this.cx = cx;
    this.fd = fd;
    this.name = name;
    this.up = up;
    this.closed = closed;
    this.watch = cx.process.addon.poll_open(fd, (events) => this.ready(events));
    if (this.watch < 0) throw new Error(`tap ${name} cannot be watched: Linux errno ${-this.watch}`);
    this.ring = cx.process.addon.tap_ring_open(fd);
  }

  // hot
  rx(ctl: Int32Array, nbufs: number): number {
    if (!this.open) return -ENXIO;
    if (ctl !== this.rx_ctl) {
      this.rx_region = this.register(ctl, this.rx_region);
      this.rx_ctl = ctl;
    }
    const n = this.cx.process.addon.tap_rx(this.fd, this.cx.process.region, this.rx_region, nbufs, VNET_HDR_LEN);
    return n >= 0 ? n : this.failed(ctl, n);
  }

  // hot
  tx(ctl: Int32Array, nframes: number): number {
    if (!this.open) return -ENXIO;
    if (ctl !== this.tx_ctl) {
      this.tx_region = this.register(ctl, this.tx_region);
      this.tx_ctl = ctl;
    }
    const { addon, region } = this.cx.process;
    let n = -1;
    if (nframes >= RING_MIN && this.ring >= 0) {
      n = addon.tap_ring_tx(this.ring, region, this.tx_region, nframes, VNET_HDR_LEN);
      if (n < 0) this.close_ring();
    }
    if (n < 0) n = addon.tap_tx(this.fd, region, this.tx_region, nframes, VNET_HDR_LEN);
    if (n < 0) return this.failed(ctl, n);
    if (n < nframes) this.want(this.events | POLL_WRITABLE);
    return n;
  }

  rx_enable(on: boolean): void {
    if (this.open) this.want(on ? this.events | POLL_READABLE : this.events & ~POLL_READABLE);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    const { addon } = this.cx.process;
    addon.watch_close(this.watch);
    this.close_ring();
    addon.fd_close(this.fd);
    if (this.rx_region >= 0) addon.slab_release(this.rx_region);
    if (this.tx_region >= 0) addon.slab_release(this.tx_region);
    this.closed(this);
  }

  /** A ring that has failed is not used again: the same work is done by system calls. */
  private close_ring(): void {
    if (this.ring >= 0) this.cx.process.addon.tap_ring_close(this.ring);
    this.ring = -1;
  }

  private register(ctl: Int32Array, before: RegionHandle): RegionHandle {
    if (before >= 0) this.cx.process.addon.slab_release(before);
    return this.cx.process.addon.slab_register(ctl);
  }

  /** A host error in NetBSD's numbers, also in the header of the block. */
  private failed(ctl: Int32Array, host_error: number): number {
    const error = -errtrans(host_error);
    if (ctl.length >= FR_HDR) ctl[FRH_STATUS] = error;
    return error;
  }

  private want(events: number): void {
    if (events === this.events) return;
    this.events = events;
    if (events === 0) this.cx.process.addon.poll_stop(this.watch);
    else this.cx.process.addon.poll_start(this.watch, events);
  }

  // hot
  private ready(events: number): void {
    this.cx.enter();
    try {
      if (events < 0) this.lost();
      else {
        if ((events & POLL_READABLE) !== 0) this.up.frames_rx_ready();
        if (this.open && (events & POLL_WRITABLE) !== 0) this.writable();
      }
    } finally {
      this.cx.leave();
    }
  }

  private writable(): void {
    this.want(this.events & ~POLL_WRITABLE);
    this.up.frames_tx_ready();
  }

  /** The interface has been deleted under us: polling on would spin. */
  private lost(): void {
    this.want(0);
    this.up.frames_link(false);
  }
}
