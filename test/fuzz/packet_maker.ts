// Grammar of hostile IPv4: packets that are right but for what was chosen to be wrong, so that they get past the first checks.
import type { Rng } from "./rng.ts";

/** Longest packet made. */
export const PACKET_MAX = 66_000;

const OWN = 0x0a000001;
const OWN_1 = 0x0a010001;
const OWN_PTP = 0x0a020001;

/** Addresses that mean something to the kernel under test: its own, neighbours, groups, broadcasts, martians, behind routes. */
const ADDRS: readonly number[] = [
  OWN,
  OWN,
  OWN,
  OWN,
  OWN_1,
  OWN_PTP,
  OWN_PTP,
  0x0a000002,
  0x0a010002,
  0x0a020002,
  0x0a0000ff,
  0x0a0100ff,
  0x0a000000,
  0xffffffff,
  0,
  0x7f000001,
  0xe0000001,
  0xe0000016,
  0xe00000fb,
  0xef010203,
  0xefffffff,
  0xf0000001,
  0xc0000209,
  0xc6336401,
  0xc6336501,
  0x0a020003,
];
/** Sources that get past the filters, mostly. */
const SOURCES: readonly number[] = [0x0a000002, 0x0a000003, 0x0a0000fe, 0x0a010002, 0x0a020002, 0xc0000209, 0xcb007101];
const PORTS: readonly number[] = [1000, 1000, 1001, 1002, 1003, 53, 0, 65535];
const PROTOS: readonly number[] = [0, 4, 6, 41, 47, 50, 94, 99, 103, 255];
const ICMP_TYPES: readonly number[] = [0, 3, 3, 4, 5, 5, 8, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 30, 40, 255];

/** Makes packets into `b`. */
export class PacketMaker {
  /** The bytes; as many of them as the last call said. */
  readonly b: Uint8Array = new Uint8Array(PACKET_MAX);
  readonly dv: DataView = new DataView(this.b.buffer);
  private readonly rng: Rng;
  private frag_id = 1;

  constructor(rng: Rng) {
    this.rng = rng;
  }

  /** An address. */
  addr(): number {
    const r = this.rng;
    const v = r.next();
    if ((v & 15) === 0) return r.next() | 0;
    if ((v & 15) === 1) return 0x0a000000 | ((v >>> 8) & 255) | 0;
    if ((v & 15) === 2) return 0x0a010000 | ((v >>> 8) & 255) | 0;
    return (ADDRS[(v >>> 8) % ADDRS.length] as number) | 0;
  }

  /** A packet at offset `at`. @returns the offset behind it */
  ip(at: number): number {
    const r = this.rng;
    const v = r.next();
    const src = (v & 7) === 0 ? this.addr() : (SOURCES[(v >>> 3) % SOURCES.length] as number) | 0;
    const dst = this.addr();
    const hlen = (v & 0x700) === 0 ? this.options(at + 20) + 20 : 20;
    const proto = this.proto(v >>> 12);
    const p = at + hlen;
    const end = this.payload(p, proto, src, dst);
    this.header(at, hlen, end - at, proto, src, dst);
    if ((v & 0x3800) === 0) this.fragment(at, hlen, end);
    if ((v & 0x70000000) === 0) return this.spoil(at, end);
    return end;
  }

  private proto(v: number): number {
    switch (v & 7) {
      case 0:
      case 1:
      case 2:
        return 17;
      case 3:
      case 4:
      case 5:
        return 1;
      case 6:
        return 2;
      default:
        return (v & 8) === 0 ? (PROTOS[(v >>> 4) % PROTOS.length] as number) : (v >>> 4) & 255;
    }
  }

  private header(at: number, hlen: number, len: number, proto: number, src: number, dst: number): void {
    const { dv, rng } = this;
    const v = rng.next();
    dv.setUint8(at, 0x40 | (hlen >>> 2));
    dv.setUint8(at + 1, (v & 7) === 0 ? v >>> 8 : 0);
    dv.setUint16(at + 2, len);
    dv.setUint16(at + 4, v >>> 16);
    dv.setUint16(at + 6, (v & 8) === 0 ? 0x4000 : 0);
    dv.setUint8(at + 8, (v & 0x70) === 0 ? (v >>> 8) & 3 : proto === 2 ? 1 : 64);
    dv.setUint8(at + 9, proto);
    dv.setInt32(at + 12, src);
    dv.setInt32(at + 16, dst);
    this.ip_cksum(at, hlen);
  }

  /** Options at `at`, padded. @returns their length */
  private options(at: number): number {
    const r = this.rng;
    const max = 4 * (1 + r.below(10));
    this.b.fill(0, at, at + max);
    if (r.one_in(8)) {
      r.fill(this.b, at, at + max);
      return max;
    }
    for (let o = 0; o < max; ) {
      const room = max - o;
      const type = r.pick([0, 1, 7, 68, 131, 137, 148, 130, 133, r.below(256)]);
      this.b[at + o] = type;
      if (type <= 1 || room < 4) {
        o++;
        continue;
      }
      const len = r.one_in(6) ? r.below(256) : type === 148 ? 4 : 3 + 4 * r.below(Math.max(1, (room - 3) >> 2));
      this.b[at + o + 1] = len;
      this.b[at + o + 2] = r.one_in(4) ? r.below(256) : 4 + (type === 68 ? 1 : 0) + 4 * r.below(3);
      if (type === 68) this.b[at + o + 3] = r.below(4);
      for (let i = 4; i + 3 < Math.min(len, room); i += 4) this.dv.setInt32(at + o + i - 1, this.addr());
      o += len < 2 ? 2 : len;
    }
    return max;
  }

  private payload(p: number, proto: number, src: number, dst: number): number {
    if (proto === 17) return this.udp(p, src, dst);
    if (proto === 1) return this.icmp(p);
    if (proto === 2) return this.igmp(p);
    if (proto === 4 && this.rng.one_in(2)) {
      const end = this.udp(p + 20, dst, src);
      this.header(p, 20, end - p, 17, dst, src);
      return end;
    }
    const end = p + this.size();
    this.rng.fill(this.b, p, Math.min(end, p + 64));
    return end;
  }

  /** Bytes of data: few mostly, seldom as many as a jumbo frame. */
  private size(): number {
    const v = this.rng.next();
    if ((v & 0x3f) !== 0) return (v >>> 8) & 63;
    return (v & 0x1c0) === 0 ? (v >>> 9) % 65_000 : (v >>> 9) % 1500;
  }

  private udp(p: number, src: number, dst: number): number {
    const { dv, rng } = this;
    const end = p + 8 + this.size();
    const v = rng.next();
    dv.setUint16(p, (v & 15) === 0 ? v >>> 16 : (PORTS[(v >>> 4) & 7] as number));
    dv.setUint16(p + 2, (v & 0x700) === 0 ? v >>> 16 : (PORTS[(v >>> 12) & 7] as number));
    dv.setUint16(p + 4, (v & 0xf0000) === 0 ? v >>> 16 : end - p);
    dv.setUint16(p + 6, 0);
    if ((v & 0xf00000) === 0) dv.setUint16(p + 6, v);
    else if ((v & 0x3000000) !== 0) {
      const pseudo = (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + 17 + end - p;
      dv.setUint16(p + 6, this.sum(p, end, pseudo) || 0xffff);
    }
    return end;
  }

  private icmp(p: number): number {
    const { dv, rng } = this;
    const v = rng.next();
    const type = ICMP_TYPES[v % ICMP_TYPES.length] as number;
    dv.setUint8(p, type);
    dv.setUint8(
      p + 1,
      (v & 0x300) === 0 ? v >>> 16 : type === 3 ? ((v & 0x100000) === 0 ? 4 : (v >>> 16) & 15) : (v >>> 16) & 1,
    );
    dv.setInt32(p + 4, type === 5 ? ((v & 0x400) === 0 ? 0x0a000002 + ((v >>> 11) & 3) : this.addr()) : rng.wild());
    if (type === 3 && (v & 0x800) === 0) dv.setInt32(p + 4, rng.pick([0, 68, 552, 576, 1000, 1400, 65_535]));
    dv.setUint16(p + 2, 0);
    const error = type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
    const end = error ? this.quote(p + 8) : p + 8 + this.size();
    dv.setUint16(p + 2, (v & 0xf0000000) === 0 ? v : this.sum(p, end, 0));
    return end;
  }

  /** A packet that the kernel may have sent, or never would have. */
  private quote(p: number): number {
    const r = this.rng;
    const { dv } = this;
    const proto = r.pick([17, 17, 17, 1, 2, 6, 99, r.below(256)]);
    const hlen = r.one_in(8) ? 4 * r.below(16) : 20;
    this.b.fill(0, p, p + 80);
    dv.setUint8(p, (r.one_in(16) ? r.below(16) << 4 : 0x40) | (hlen >>> 2));
    dv.setUint16(p + 2, r.one_in(4) ? r.wild() : 28);
    dv.setUint16(p + 6, r.one_in(8) ? r.wild() : 0);
    dv.setUint8(p + 8, 64);
    dv.setUint8(p + 9, proto);
    dv.setInt32(p + 12, this.addr());
    dv.setInt32(p + 16, r.one_in(2) ? 0x0a000002 : r.one_in(2) ? 0x08080808 : this.addr());
    if (r.one_in(2)) dv.setInt32(p + 12, OWN);
    const q = p + Math.max(20, hlen);
    dv.setUint16(q, r.one_in(2) ? 2000 : r.pick(PORTS));
    dv.setUint16(q + 2, r.pick(PORTS));
    return r.one_in(4) ? p + r.below(80) : q + 8 + (r.one_in(4) ? r.below(128) : 0);
  }

  private igmp(p: number): number {
    const { dv, rng } = this;
    const v = rng.next();
    const type =
      (v & 15) === 0 ? v >>> 24 : ([0x11, 0x11, 0x11, 0x12, 0x16, 0x17, 0x22, 0x13][(v >>> 4) & 7] as number);
    dv.setUint8(p, type);
    dv.setUint8(p + 1, (v & 0x300) === 0 ? v >>> 16 : (v >>> 16) & 15);
    dv.setUint16(p + 2, 0);
    dv.setInt32(p + 4, (v & 0xc00) === 0 ? 0 : this.addr());
    let end = p + 8;
    if ((v & 0x3000) === 0) {
      const n = rng.below(5);
      dv.setInt32(p + 8, rng.wild());
      dv.setUint16(p + 10, rng.one_in(4) ? rng.wild() : n);
      for (let i = 0; i < n; i++) dv.setInt32(p + 12 + 4 * i, this.addr());
      end = p + 12 + 4 * n;
    } else if ((v & 0xc000) === 0) end += rng.below(20);
    dv.setUint16(p + 2, (v & 0xf0000000) === 0 ? v : this.sum(p, end, 0));
    return end;
  }

  /** Makes a fragment of it: of few datagrams, so that they meet; of many, so that the tables fill. */
  private fragment(at: number, hlen: number, end: number): void {
    const r = this.rng;
    const v = r.next();
    if ((v & 0x30000000) !== 0) return this.piece(at, hlen, v);
    const id = (v & 0x30) === 0 ? v >>> 16 : (v & 0x40) === 0 ? this.frag_id++ : (v >>> 8) & 15;
    this.dv.setUint16(at + 4, id);
    const off = (v & 3) === 0 ? r.next() & 0x1fff : (v >>> 12) & 15;
    this.dv.setUint16(at + 6, off | ((v & 4) === 0 ? 0 : 0x2000) | ((v & 0x1f00) === 0 ? 0x8000 : 0));
    if ((v & 8) !== 0) {
      const len = (end - at - hlen) & ~7;
      this.dv.setUint16(at + 2, hlen + len);
    }
    this.dv.setInt32(at + 12, 0x0a000002 | (at === 0 ? 0x00020000 : 0));
    this.ip_cksum(at, hlen);
  }

  /** One of three pieces that fit together, of one of a few datagrams: some get whole, in any order. */
  private piece(at: number, hlen: number, v: number): void {
    const n = v % 3;
    this.dv.setUint16(at + 2, hlen + 16);
    this.dv.setUint16(at + 4, 0x8000 | ((v >>> 4) & 31));
    this.dv.setUint16(at + 6, (n === 2 ? 0 : 0x2000) | (2 * n));
    this.dv.setUint8(at + 8, 64);
    this.dv.setUint8(at + 9, (v & 0x1000) === 0 ? 17 : 1);
    this.dv.setInt32(at + 12, 0x0a000002 | (at === 0 ? 0x00020000 : 0));
    this.dv.setInt32(at + 16, OWN);
    this.ip_cksum(at, hlen);
  }

  /** Bytes and lengths that lie. @returns the new end */
  private spoil(at: number, end0: number): number {
    const r = this.rng;
    let end = end0;
    switch (r.below(5)) {
      case 0:
        this.dv.setUint16(at + 2, r.wild());
        break;
      case 1:
        end = at + r.below(end - at + 1);
        break;
      case 2:
        end = Math.min(end + r.below(64), PACKET_MAX);
        break;
      case 3:
        this.dv.setUint8(at, r.next());
        break;
      default:
        for (let n = 1 + r.below(4); n > 0; n--) this.b[at + r.below(Math.min(end - at, 64))] = r.next();
    }
    if (r.below(4) !== 0) this.ip_cksum(at, Math.max(20, (this.dv.getUint8(at) & 15) * 4));
    return end;
  }

  /** Puts the right header checksum. */
  ip_cksum(at: number, hlen: number): void {
    this.dv.setUint16(at + 10, 0);
    this.dv.setUint16(at + 10, this.sum(at, at + hlen, 0));
  }

  private sum(from: number, to: number, start: number): number {
    const { dv } = this;
    let s = start;
    let i = from;
    for (; i + 1 < to; i += 2) s += dv.getUint16(i);
    if (i < to) s += dv.getUint8(i) << 8;
    s = (s & 0xffff) + Math.floor(s / 65_536);
    s = (s & 0xffff) + (s >>> 16);
    return ~s & 0xffff;
  }
}
