// Checksums that are open in a packet: where they are and what belongs there, whatever the mbufs are cut like.
import { expect } from "chai";
import {
  M_CSUM_DATA,
  M_CSUM_IPv4,
  M_CSUM_OK,
  M_CSUM_TCPv4,
  M_CSUM_UDPv4,
  M_CSUM_UDPv6,
  type Mbuf,
} from "../../../kernel-components/kern/mbuf.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_devget } from "../../../kernel-components/kern/mbuf_bytes.ts";
import { m_cat } from "../../../kernel-components/kern/mbuf_ops.ts";
import { OpenCksum } from "../../../kernel-components/net/open_cksum.ts";
import { NetWorld } from "./net_world.ts";

const LINK = 14;

/** Sum of 16-bit words, folded: the naive twin. */
function sum(bytes: Uint8Array): number {
  let s = 0;
  bytes.forEach((b, i) => (s += i % 2 === 0 ? b << 8 : b));
  while (s > 0xffff) s = (s & 0xffff) + (s >>> 16);
  return s;
}

/** A link header and an IPv4 header with options, then `payload` with an empty checksum at `field`. */
function packet(proto: number, payload: number, seed: number): Uint8Array {
  const frame = Uint8Array.from({ length: LINK + 24 + payload }, (_, i) => (i * seed) & 255);
  const len = 24 + payload;
  frame.set([0x46, 0, len >> 8, len, 1, 2, 0, 0, 64, proto, 0xde, 0xad, 10, 0, 0, 2, 10, 0, 0, 1, 1, 1, 1, 0], LINK);
  return frame;
}

describe("open checksums", () => {
  let w: NetWorld;
  const open = new OpenCksum();
  beforeEach(() => {
    w = new NetWorld();
  });
  afterEach(() => w.end());

  function look(bytes: Uint8Array, change: (m: Mbuf) => void, cut = bytes.length, link = LINK): boolean {
    return w.t.in_kernel(() => {
      const mb = w.t.k.mb;
      const m = m_devget(mb, bytes.subarray(0, cut), 0, null) as Mbuf;
      if (cut < bytes.length) {
        m_cat(m, m_devget(mb, bytes.subarray(cut), 0, null) as Mbuf);
        m.m_pkthdr_len = bytes.length;
      }
      change(m);
      const found = open.find(w.t.k, m, link);
      m_freem(m);
      return found;
    });
  }

  it("finds none where none is open", () => {
    expect(look(packet(17, 30, 7), (m) => (m.m_csum_flags = M_CSUM_OK))).to.equal(false);
  });

  it("gives the transport's and the header's checksum, an odd length cut anywhere, whatever the fields hold", () => {
    for (const [proto, flag, at] of [
      [17, M_CSUM_UDPv4, 6],
      [6, M_CSUM_TCPv4, 16],
    ] as const) {
      for (const cut of [1, 15, 33, 44, 57, 75]) {
        const bytes = packet(proto, 37, 11);
        expect(look(bytes, (m) => (m.m_csum_flags = flag | M_CSUM_IPv4), cut)).to.equal(true);
        expect([open.field, open.ip_field]).to.deep.equal([LINK + 24 + at, LINK + 10]);
        const dv = new DataView(bytes.buffer);
        dv.setUint16(open.field, open.sum);
        dv.setUint16(open.ip_field, open.ip_sum);
        expect(sum(bytes.subarray(LINK, LINK + 24))).to.equal(0xffff);
        const pseudo = sum(Uint8Array.of(10, 0, 0, 2, 10, 0, 0, 1, 0, proto, 0, 37));
        expect(sum(Uint8Array.of(pseudo >> 8, pseudo & 255, ...bytes.subarray(LINK + 24)))).to.equal(0xffff);
      }
    }
  });

  it("takes the word of who left it open (M_CSUM_DATA), and leaves it open where that points outside", () => {
    const bytes = packet(17, 30, 3);
    const said = (start: number, offset: number) => (m: Mbuf) => {
      m.m_csum_flags = M_CSUM_DATA | M_CSUM_OK;
      m.m_csum_start = start;
      m.m_csum_offset = offset;
    };
    expect(look(bytes, said(LINK + 24, 6), 40)).to.equal(true);
    expect([open.field, open.sum]).to.deep.equal([LINK + 30, ~sum(bytes.subarray(LINK + 24)) & 0xffff]);
    expect(look(bytes, said(bytes.length - 4, 3))).to.equal(false);
    expect(look(bytes, said(60_000, 6))).to.equal(false);
  });

  it("writes a UDP checksum of zero as ffff (RFC 768), and sums the addresses of IPv6", () => {
    const bytes = new Uint8Array(40 + 8);
    bytes.set([0x60, 0, 0, 0, 0, 8, 17, 64]);
    bytes.set([0xff, 0xff - 17 - 8 - 8], 8);
    new DataView(bytes.buffer).setUint16(8, 0xffff - 17 - 8 - 8);
    bytes.set([0, 0, 0, 0, 0, 8, 0, 0], 40);
    expect(look(bytes, (m) => (m.m_csum_flags = M_CSUM_UDPv6), bytes.length, 0)).to.equal(true);
    expect([open.field, open.sum]).to.deep.equal([46, 0xffff]);
  });

  it("does not look beyond the end of a short packet", () => {
    const bytes = packet(6, 37, 11);
    for (let len = 1; len < LINK + 24 + 18; len++) {
      expect(
        look(bytes.slice(0, len), (m) => (m.m_csum_flags = M_CSUM_TCPv4)),
        String(len),
      ).to.equal(false);
    }
  });
});
