// Software offload at an egress that lacks it: every segment is a right packet, together they are the superframe, and hostile metadata does no harm.
import { expect } from "chai";
import fc from "fast-check";
import { EINVAL } from "../../../hypercall/api/errno.ts";
import {
  M_CSUM_DATA,
  M_CSUM_IPv4,
  M_CSUM_TCPv4,
  M_CSUM_UDPv4,
  type Mbuf,
} from "../../../kernel-components/kern/mbuf.ts";
import { m_devget, m_tobytes } from "../../../kernel-components/kern/mbuf_bytes.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { ifcapreq, SIOCSIFCAP } from "../../../kernel-components/net/if_abi.ts";
import {
  IFCAP_CSUM_IPv4_Tx,
  IFCAP_CSUM_TCPv4_Tx,
  IFCAP_CSUM_UDPv4_Tx,
  IFCAP_TSOv4,
  IFD_OERRORS,
} from "../../../kernel-components/net/if_flags.ts";
import { GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, gso_segment } from "../../../kernel-components/net/gso_segment.ts";
import { NETS_BADGSO, NETS_SWCSUM, NETS_SWGSO } from "../../../kernel-components/net/net.ts";
import { AF_INET } from "../../../kernel-components/wire/sockaddr.ts";
import { type FakeEther, NetWorld } from "./net_world.ts";

/** Folded sum of big-endian words, the slow way. */
function sum(bytes: Uint8Array, start = 0): number {
  let s = start;
  for (let i = 0; i < bytes.length; i++) s += (bytes[i] as number) << (i & 1 ? 0 : 8);
  while (s > 0xffff) s = (s & 0xffff) + (s >>> 16);
  return s;
}

function pseudo(p: Uint8Array, len: number): number {
  return sum(p.subarray(12, 20), (p[9] as number) + len);
}

/** An IPv4 packet (header checksum zero) of TCP with options, or UDP. */
function packet(udp: boolean, payload: Uint8Array): Uint8Array {
  const l4 = udp ? 8 : 32;
  const p = new Uint8Array(20 + l4 + payload.length);
  const dv = new DataView(p.buffer);
  p[0] = 0x45;
  dv.setUint16(2, p.length & 0xffff);
  dv.setUint16(4, 0xfffe);
  dv.setUint16(6, 0x4000);
  p.set([64, udp ? 17 : 6], 8);
  p.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  p.set([4, 1, 4, 2], 20);
  if (udp) {
    dv.setUint16(24, 8 + payload.length);
  } else {
    dv.setUint32(24, 0xfffffff0);
    p.set([0x80, 0x99], 32);
  }
  p.set(payload, 20 + l4);
  return p;
}

function check(p: Uint8Array): void {
  const dv = new DataView(p.buffer, p.byteOffset);
  expect(dv.getUint16(2)).to.equal(p.length);
  expect(sum(p.subarray(0, 20)), "IPv4 header checksum").to.equal(0xffff);
  expect(sum(p.subarray(20), pseudo(p, p.length - 20)), "transport checksum").to.equal(0xffff);
}

function send(w: NetWorld, e: FakeEther, bytes: Uint8Array, set: (m: Mbuf) => void): number {
  return w.in_kernel(() => {
    const m = m_devget(w.t.k.mb, bytes, 64, null) as Mbuf;
    set(m);
    return e.ifp.if_output(e.ifp, m, AF_INET, 1, null);
  });
}

const data = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 7) ^ (i >> 8));

function world(): [NetWorld, FakeEther] {
  const w = new NetWorld();
  w.fake_inet();
  return [w, w.ether().up()];
}

describe("software offload", () => {
  it("cuts TCP: sequence numbers run over 2^32, FIN and PSH come last, CWR first, identification counts", () => {
    const [w, e] = world();
    const payload = data(3001);
    expect(
      send(w, e, packet(false, payload), (m) => {
        m.m_gso_type = GSO_TCPV4;
        m.m_gso_size = 1000;
        m.m_csum_flags = M_CSUM_TCPv4 | M_CSUM_IPv4;
      }),
    ).to.equal(0);
    const segs = e.sent.map((f) => f.slice(14));
    for (const s of segs) check(s);
    expect(segs.map((s) => s.length - 52)).to.deep.equal([1000, 1000, 1000, 1]);
    const dvs = segs.map((s) => new DataView(s.buffer));
    expect(dvs.map((d) => d.getUint32(24))).to.deep.equal([0xfffffff0, 984, 1984, 2984]);
    expect(dvs.map((d) => d.getUint16(4))).to.deep.equal([0xfffe, 0xffff, 0, 1]);
    expect(segs.map((s) => s[33])).to.deep.equal([0x90, 0x10, 0x10, 0x19]);
    expect(Uint8Array.from(segs.flatMap((s) => [...s.subarray(52)]))).to.deep.equal(payload);
    expect(w.net.netstat[NETS_SWGSO]).to.equal(1);
    w.end();
  });

  it("cuts any payload at any size into right packets that add up (fast-check)", () => {
    const [w, e] = world();
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 1, max: 3000 }), (udp, n, mss) => {
        fc.pre(n / mss < 300);
        e.sent.length = 0;
        const payload = data(n);
        send(w, e, packet(udp, payload), (m) => {
          m.m_gso_type = udp ? GSO_UDP_L4 : GSO_TCPV4;
          m.m_gso_size = mss;
        });
        const segs = e.sent.map((f) => f.subarray(14));
        for (const s of segs) check(s.slice());
        expect(segs.length).to.equal(Math.max(1, Math.ceil(n / mss)));
        if (udp)
          for (const s of segs) expect(new DataView(s.buffer, s.byteOffset).getUint16(24)).to.equal(s.length - 20);
        expect(Uint8Array.from(segs.flatMap((s) => [...s.subarray(udp ? 28 : 52)]))).to.deep.equal(payload);
      }),
      { numRuns: 60 },
    );
    w.end();
  });

  it("completes checksums of both forms, and leaves them to a device that can", () => {
    const [w, e] = world();
    expect(
      send(w, e, packet(true, data(101)), (m) => {
        m.m_csum_flags = M_CSUM_UDPv4 | M_CSUM_IPv4;
      }),
    ).to.equal(0);
    const tcp = packet(false, data(77));
    new DataView(tcp.buffer).setUint16(36, pseudo(tcp, tcp.length - 20));
    expect(
      send(w, e, tcp, (m) => {
        m.m_csum_flags = M_CSUM_DATA;
        m.m_csum_start = 20;
        m.m_csum_offset = 16;
      }),
    ).to.equal(0);
    check((e.sent[0] as Uint8Array).slice(14));
    const p = (e.sent[1] as Uint8Array).slice(14);
    expect(sum(p.subarray(20), pseudo(p, p.length - 20))).to.equal(0xffff);
    expect(w.net.netstat[NETS_SWCSUM]).to.equal(2);
    e.ifp.if_capabilities = IFCAP_CSUM_IPv4_Tx | IFCAP_CSUM_TCPv4_Tx | IFCAP_CSUM_UDPv4_Tx | IFCAP_TSOv4;
    expect(w.ioctl(SIOCSIFCAP, ifcapreq("tst0", e.ifp.if_capabilities))).to.equal(0);
    const kept: number[][] = [];
    e.ifp.if_transmit = (_i, m) => {
      kept.push([m.m_csum_flags, m.m_gso_size, m.m_csum_start, m.m_hdr_len]);
      m_freem(m);
      return 0;
    };
    send(w, e, packet(false, data(4000)), (m) => {
      m.m_csum_flags = M_CSUM_DATA;
      m.m_csum_start = 20;
      m.m_csum_offset = 16;
      m.m_gso_type = GSO_TCPV4;
      m.m_gso_size = 1000;
      m.m_hdr_len = 52;
    });
    expect(kept, "offsets move with the link header").to.deep.equal([[M_CSUM_DATA, 1000, 34, 66]]);
    w.end();
  });

  it("drops and counts superframes whose metadata does not fit them", () => {
    const [w, e] = world();
    const good = packet(false, data(100));
    const cases: [Uint8Array, (m: Mbuf) => void][] = [
      [
        packet(true, data(100)),
        (m) => {
          m.m_gso_type = GSO_TCPV4;
          m.m_gso_size = 10;
        },
      ],
      [
        good,
        (m) => {
          m.m_gso_type = GSO_TCPV6;
          m.m_gso_size = 10;
        },
      ],
      [
        good,
        (m) => {
          m.m_gso_type = 77;
          m.m_gso_size = 10;
        },
      ],
      [
        good,
        (m) => {
          m.m_gso_type = GSO_TCPV4;
          m.m_gso_size = -1;
        },
      ],
      [
        good.slice(0, 25),
        (m) => {
          m.m_gso_type = GSO_TCPV4;
          m.m_gso_size = 10;
        },
      ],
      [
        good,
        (m) => {
          m.m_csum_flags = M_CSUM_DATA;
          m.m_csum_start = 150;
          m.m_csum_offset = 16;
        },
      ],
      [
        good,
        (m) => {
          m.m_csum_flags = M_CSUM_DATA;
          m.m_csum_start = -20;
          m.m_csum_offset = 16;
        },
      ],
      [
        good.slice(0, 30),
        (m) => {
          m.m_csum_flags = M_CSUM_TCPv4;
        },
      ],
      [
        good.slice(0, 60),
        (m) => {
          m.m_csum_flags = M_CSUM_TCPv4;
        },
      ],
    ];
    for (const [bytes, set] of cases) expect(send(w, e, bytes, set)).to.be.greaterThan(0);
    expect([e.sent.length, w.net.netstat[NETS_BADGSO], e.ifp.if_data[IFD_OERRORS]]).to.deep.equal([
      0,
      cases.length,
      cases.length,
    ]);
    w.end();
  });

  it("gives segments or EINVAL for any bytes (fast-check)", () => {
    const [w] = world();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(1, 4, 5, 0x81),
        fc.integer({ min: 0, max: 100 }),
        fc.constantFrom(0x45, 0x4f, 0x60, 0x41),
        (bytes, type, mss, vhl) => {
          if (bytes.length > 0) bytes[0] = vhl;
          w.in_kernel(() => {
            const m = m_devget(w.t.k.mb, bytes, 0, null);
            if (m === null) return;
            m.m_gso_type = type;
            m.m_gso_size = mss;
            const r = gso_segment(w.t.k, m, 0);
            expect(r.error === 0 || r.error === EINVAL).to.equal(true);
            for (let s = r.head; s !== null; ) {
              const next: Mbuf | null = s.m_nextpkt;
              expect(m_tobytes(s).length).to.equal(s.m_pkthdr_len);
              m_freem(s);
              s = next;
            }
          });
        },
      ),
      { numRuns: 400 },
    );
    w.end();
  });
});
