// Grammar of hostile Ethernet: IPv4 and ARP of every kind, tags, other protocols, lengths, addresses.
import { PacketMaker } from "./packet_maker.ts";
import type { Rng } from "./rng.ts";

const ETHER_MIN = 14;

/** Makes frames for a station with the given address. */
export class FrameMaker {
  readonly pm: PacketMaker;
  private readonly rng: Rng;
  private readonly mac: Uint8Array;

  constructor(rng: Rng, mac: Uint8Array) {
    this.rng = rng;
    this.mac = mac;
    this.pm = new PacketMaker(rng);
  }

  /** Makes a frame into pm.b. @returns its length */
  frame(): number {
    const r = this.rng;
    const { b, dv } = this.pm;
    const v = r.next();
    this.dst(v & 15);
    b[6] = 2;
    b[7] = b[8] = b[9] = 0;
    b[10] = 0xee;
    b[11] = 2 + ((v >>> 4) & 3);
    if ((v & 0x3f00) === 0) b.set(this.mac, 6);
    const kind = (v >>> 16) & 63;
    if (kind < 50) {
      dv.setUint16(12, 0x0800);
      return this.ends(this.pm.ip(ETHER_MIN));
    }
    if (kind < 58) return this.ends(this.arp());
    if (kind < 60) return this.ends(this.tagged());
    if (kind === 60) return this.ends(this.ipv6ish());
    if (kind === 61) {
      dv.setUint16(12, r.wild());
      const end = ETHER_MIN + r.below(100);
      r.fill(b, ETHER_MIN, end);
      return end;
    }
    if (kind === 62) {
      dv.setUint16(12, r.one_in(2) ? 0x0800 : 0x0806);
      const end = ETHER_MIN + r.below(80);
      r.fill(b, ETHER_MIN, end);
      return end;
    }
    return r.below(ETHER_MIN + 1);
  }

  /** A short frame is padded as a wire does, mostly. */
  private ends(end: number): number {
    if (end >= 60 || this.rng.one_in(8)) return end;
    this.pm.b.fill(0xaa, end, 60);
    return 60;
  }

  private dst(v: number): void {
    const { b } = this.pm;
    if (v < 11) b.set(this.mac, 0);
    else if (v < 13) b.fill(0xff, 0, 6);
    else if (v < 15) {
      b[0] = 1;
      b[1] = 0;
      b[2] = 0x5e;
      b[3] = v === 13 ? 0 : 1;
      b[4] = v === 13 ? 0 : 2;
      b[5] = v === 13 ? this.rng.pick([1, 22, 251]) : 3;
    } else this.rng.fill(b, 0, 6);
  }

  private arp(): number {
    const r = this.rng;
    const { b, dv } = this.pm;
    dv.setUint16(12, 0x0806);
    const a = ETHER_MIN;
    dv.setUint16(a, 1);
    dv.setUint16(a + 2, 0x0800);
    dv.setUint16(a + 4, 0x0604);
    dv.setUint16(a + 6, r.one_in(16) ? r.wild() : 1 + r.below(2));
    b.copyWithin(a + 8, 6, 12);
    if (r.one_in(8)) r.fill(b, a + 8, a + 14);
    dv.setInt32(a + 14, r.one_in(3) ? this.pm.addr() : 0x0a000000 | r.below(256));
    r.fill(b, a + 18, a + 24);
    dv.setInt32(a + 24, r.one_in(2) ? 0x0a000001 : this.pm.addr());
    if (r.one_in(8)) b[a + r.below(8)] = r.next();
    return r.one_in(8) ? a + r.below(28) : a + 28;
  }

  private tagged(): number {
    const { b, dv } = this.pm;
    const end = this.pm.ip(ETHER_MIN + 4);
    dv.setUint16(12, this.rng.pick([0x8100, 0x88a8, 0x9100]));
    dv.setUint16(14, this.rng.next());
    dv.setUint16(16, this.rng.pick([0x0800, 0x0806, 0x8100]));
    return this.rng.one_in(8) ? ETHER_MIN + this.rng.below(6) : Math.min(end, b.length);
  }

  private ipv6ish(): number {
    const { b, dv } = this.pm;
    dv.setUint16(12, this.rng.one_in(2) ? 0x86dd : 0x0800);
    const end = ETHER_MIN + 40 + this.rng.below(64);
    this.rng.fill(b, ETHER_MIN, end);
    b[ETHER_MIN] = 0x60;
    dv.setUint16(ETHER_MIN + 4, end - ETHER_MIN - 40);
    return end;
  }
}
