/** A shmif region in plain memory, with locks that a test can break as a death would: for tests of the bus below any kernel. */
import { EBUSY, EINVAL, ESRCH } from "../../hypercall/api/errno.ts";
import type { BusHandle } from "../../hypercall/api/bus.ts";
import type { Slab } from "../../hypercall/api/memory.ts";
import { ShmifPort } from "../../drivers/shmif/shmif_port.ts";
import { ShmifReader } from "../../drivers/shmif/shmif_reader.ts";
import { ShmifWriter } from "../../drivers/shmif/shmif_writer.ts";

/** One attachment of a test. */
export interface Station {
  readonly port: ShmifPort;
  readonly writer: ShmifWriter;
  readonly reader: ShmifReader;
}

/** Memory of a bus, and who holds which port. */
export class TestBus {
  readonly slab: Slab;
  readonly bytes: number;
  readonly holders: Map<number, object> = new Map();
  readonly kicks: number[] = [];
  /** Kicks get lost: their sender is killed at that instant. */
  kick_fails = false;

  constructor(bytes: number) {
    const buffer = new ArrayBuffer(bytes);
    this.bytes = bytes;
    this.slab = {
      buffer,
      u8: new Uint8Array(buffer),
      dv: new DataView(buffer),
      i32: new Int32Array(buffer),
      cksum: () => 0,
    };
  }

  /** A handle of its own, as another process would have. */
  handle(): BusHandle {
    const self = {};
    const { holders, kicks } = this;
    return {
      lock_port(i) {
        if (holders.has(i)) return EBUSY;
        holders.set(i, self);
        return 0;
      },
      test_port: (i) => (i < 0 ? EINVAL : holders.has(i) ? EBUSY : 0),
      unlock_port(i) {
        if (holders.get(i) === self) holders.delete(i);
      },
      kick: (i) => {
        if (!holders.has(i)) return ESRCH;
        if (this.kick_fails) return 0;
        kicks.push(i);
        return 0;
      },
      close() {
        for (const [i, who] of [...holders]) if (who === self) holders.delete(i);
      },
    };
  }

  /** Attaches with the address 02:00:00:00:00:`mac`. */
  attach(mac: number, flags = 2): Station {
    const port = new ShmifPort(this.slab, this.handle(), 0, this.bytes);
    const error = port.attach(0x0200, mac, flags, 0);
    if (error !== 0) throw new Error(`attach: errno ${error}`);
    return { port, writer: new ShmifWriter(port), reader: new ShmifReader(port) };
  }

  /** The owner of a station dies: its lock is gone and nothing else changes. */
  kill(s: Station): void {
    this.holders.delete(s.port.index);
  }
}

/** Sends a frame of `len` bytes from `s` to 02:00:00:00:00:`mac` (or to all, with -1), all bytes behind the header `fill`. False: no room. */
export function bus_send(s: Station, mac: number, len: number, fill: number): boolean {
  const at = s.writer.reserve(len);
  if (at === 0) return false;
  const { u8, dv } = s.port.slab;
  const hi = mac < 0 ? 0xffff : 0x0200;
  dv.setUint16(at, hi);
  dv.setInt32(at + 2, mac);
  u8.fill(fill & 0xff, at + 6, at + len);
  s.writer.publish(len, hi, mac, 0, 0);
  return true;
}

/** Reads one frame as [length, fill byte], or null. */
export function bus_recv(s: Station): [number, number] | null {
  if (!s.reader.next()) return null;
  const { off, len } = s.reader;
  const u8 = s.port.slab.u8.slice(off, off + len);
  if (!s.reader.done()) return bus_recv(s);
  for (let i = 7; i < len; i++) if (u8[i] !== u8[6]) throw new Error(`torn frame: byte ${i} of ${len}`);
  return [len, u8[6] ?? -1];
}
