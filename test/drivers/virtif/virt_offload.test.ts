import { expect } from "chai";
import {
  FR_CAP,
  FR_CSUM_OFFSET,
  FR_CSUM_START,
  FR_F_DATA_VALID,
  FR_F_NEEDS_CSUM,
  FR_FLAGS,
  FR_GSO_SIZE,
  FR_GSO_TCPV4,
  FR_GSO_TYPE,
  FR_GSO_UDP_L4,
  FR_HDR,
  FR_HDR_LEN,
  FR_IOV,
  FR_LEN,
  FR_OFF,
  FR_OFF_CSUM,
  FR_OFF_TSO4,
  FR_OFF_TSO6,
  FR_OFF_USO4,
  FRH_OVER_OFF,
} from "../../../hypercall/api/frames.ts";
import { M_CSUM_DATA, M_CSUM_OK, M_CSUM_UDPv4, type Mbuf, MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_gethdr } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_tobytes } from "../../../kernel-components/kern/mbuf_bytes.ts";
import { ifcapreq, SIOCSIFCAP } from "../../../kernel-components/net/if_abi.ts";
import { if_transmit_lock } from "../../../kernel-components/net/if_attach.ts";
import { IFCAP_CSUM_UDPv4_Tx, IFCAP_TSOv4, IFCAP_USOv4, IFD_IERRORS } from "../../../kernel-components/net/if_flags.ts";
import { register_ethertype } from "../../../kernel-components/net/net.ts";
import { FakePort, pattern, VirtWorld } from "./virt_world.ts";
import { cksum } from "../../../kernel-components/wire/cksum.ts";

const REC = FR_HDR;
const ALL = FR_OFF_CSUM | FR_OFF_TSO4 | FR_OFF_TSO6 | FR_OFF_USO4;
const ETH = 14;
const IP = 20;
const UDP = 8;

/** An Ethernet frame with UDP over IPv4, whose UDP checksum field is empty. */
function udpFrame(dst: Uint8Array, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ETH + IP + UDP + payload.length);
  const dv = new DataView(bytes.buffer);
  bytes.set(dst);
  bytes.set([2, 0, 0, 0, 0, 9, 8, 0], 6);
  bytes[ETH] = 0x45;
  dv.setUint16(ETH + 2, bytes.length - ETH);
  dv.setUint16(ETH + 4, 0xfffe);
  bytes[ETH + 8] = 64;
  bytes[ETH + 9] = 17;
  bytes.set([10, 0, 0, 1, 10, 0, 0, 2], ETH + 12);
  dv.setUint16(ETH + 10, ~sum16(bytes.subarray(ETH, ETH + IP), 0) & 0xffff);
  dv.setUint16(ETH + IP, 4000);
  dv.setUint16(ETH + IP + 2, 5000);
  dv.setUint16(ETH + IP + 4, UDP + payload.length);
  bytes.set(payload, ETH + IP + UDP);
  return bytes;
}

/** A naive checksum, apart from the one under test (RFC 1071 §1). */
function sum16(bytes: Uint8Array, start: number): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return sum;
}

function pseudo(ip: Uint8Array, len: number): number {
  return sum16(ip.subarray(12, 20), 17 + len);
}

class Fixture {
  readonly port: FakePort;
  readonly w: VirtWorld;
  readonly got: Mbuf[] = [];

  constructor(offloads: number = ALL) {
    this.port = new FakePort(offloads);
    this.w = new VirtWorld({}, this.port).running();
    register_ethertype(this.w.ifp.if_net, 0x0800, (_ifp, m) => this.got.push(m));
  }

  /** Delivers one frame with the given words of its record. */
  deliver(frame: Uint8Array, words: readonly (readonly [number, number])[]): void {
    this.port.receive = (ctl) => {
      this.port.receive = () => 0;
      const cap = ctl[REC + FR_CAP] ?? 0;
      const { u8 } = this.w.k;
      u8.set(frame.subarray(0, cap), ctl[REC + FR_OFF]);
      u8.set(frame.subarray(cap), ctl[FRH_OVER_OFF]);
      ctl.fill(0, REC + FR_LEN, REC + FR_IOV);
      ctl[REC + FR_LEN] = frame.length;
      for (const [word, value] of words) ctl[REC + word] = value;
      return 1;
    };
    this.w.within(() => this.port.up?.frames_rx_ready());
  }

  /** Sends a finished frame with the flags of a packet header, and answers what the port was given. */
  send(frame: Uint8Array, change: (m: Mbuf) => void): { words: Int32Array; bytes: Uint8Array } {
    let words = new Int32Array(0);
    let bytes = new Uint8Array(0);
    this.port.transmit = (ctl, n) => {
      words = ctl.slice(REC, REC + 12);
      const iov = ctl[REC + FR_IOV] ?? 0;
      bytes = this.w.k.u8.slice(ctl[iov], (ctl[iov] ?? 0) + (ctl[iov + 1] ?? 0));
      return n;
    };
    this.w.within(() => {
      const m = m_gethdr(this.w.k.mb, MT_DATA);
      if (m === null) throw new Error("no mbuf");
      this.w.k.u8.set(frame, m.m_off);
      m.m_len = frame.length;
      m.m_pkthdr_len = frame.length;
      change(m);
      expect(if_transmit_lock(this.w.ifp, m)).to.equal(0);
    });
    return { words, bytes };
  }

  end(): void {
    for (const m of this.got.splice(0)) m_freem(m);
    expect(this.w.end().text).to.equal("");
  }
}

describe("virtif: offloads", () => {
  it("has the capabilities of its port, switched on, and switches them off on request", () => {
    const f = new Fixture();
    const { ifp } = f.w;
    expect(ifp.if_capenable & (IFCAP_TSOv4 | IFCAP_USOv4 | IFCAP_CSUM_UDPv4_Tx)).to.equal(
      IFCAP_TSOv4 | IFCAP_USOv4 | IFCAP_CSUM_UDPv4_Tx,
    );
    expect(ifp.if_csum_flags_tx & (M_CSUM_UDPv4 | M_CSUM_DATA)).to.equal(M_CSUM_UDPv4 | M_CSUM_DATA);
    expect(f.w.ioctl(SIOCSIFCAP, ifcapreq("virt0", IFCAP_TSOv4))).to.equal(0);
    expect([ifp.if_capenable, ifp.if_csum_flags_tx]).to.deep.equal([IFCAP_TSOv4, 0]);
    f.end();
    const none = new Fixture(0);
    expect([none.w.ifp.if_capabilities, none.w.ifp.if_csum_flags_tx]).to.deep.equal([0, 0]);
    none.end();
  });

  it("tells the host where a checksum goes, with the pseudo header's sum in its place", () => {
    const f = new Fixture();
    const frame = udpFrame(f.w.ifp.if_lladdr, pattern(100, 3));
    const { words, bytes } = f.send(frame, (m) => {
      m.m_csum_flags = M_CSUM_UDPv4;
    });
    expect([words[FR_FLAGS], words[FR_CSUM_START], words[FR_CSUM_OFFSET]]).to.deep.equal([
      FR_F_NEEDS_CSUM,
      ETH + IP,
      6,
    ]);
    expect(new DataView(bytes.buffer).getUint16(ETH + IP + 6)).to.equal(pseudo(frame.subarray(ETH), UDP + 100));
    f.end();
  });

  it("passes on a checksum that another host left open, and the size of segments", () => {
    const f = new Fixture();
    const frame = udpFrame(f.w.ifp.if_lladdr, pattern(100, 3));
    const { words } = f.send(frame, (m) => {
      m.m_csum_flags = M_CSUM_DATA;
      m.m_csum_start = 34;
      m.m_csum_offset = 16;
      m.m_gso_type = FR_GSO_TCPV4;
      m.m_gso_size = 20;
      m.m_hdr_len = 54;
    });
    expect(
      [FR_FLAGS, FR_CSUM_START, FR_CSUM_OFFSET, FR_GSO_TYPE, FR_GSO_SIZE, FR_HDR_LEN].map((i) => words[i]),
    ).to.deep.equal([FR_F_NEEDS_CSUM, 34, 16, FR_GSO_TCPV4, 20, 54]);
    const plain = f.send(frame, () => {});
    expect([FR_FLAGS, FR_CSUM_START, FR_GSO_TYPE].map((i) => plain.words[i])).to.deep.equal([0, 0, 0]);
    f.end();
  });

  it("marks what the host has checked or left open", () => {
    const f = new Fixture();
    const frame = udpFrame(f.w.ifp.if_lladdr, pattern(100, 3));
    f.deliver(frame, [[FR_FLAGS, FR_F_DATA_VALID]]);
    f.deliver(frame, [
      [FR_FLAGS, FR_F_NEEDS_CSUM],
      [FR_CSUM_START, ETH + IP],
      [FR_CSUM_OFFSET, 6],
    ]);
    f.deliver(frame, []);
    expect(f.got.map((m) => m.m_csum_flags)).to.deep.equal([M_CSUM_OK, M_CSUM_DATA | M_CSUM_OK, 0]);
    expect([f.got[1]?.m_csum_start, f.got[1]?.m_csum_offset]).to.deep.equal([IP, 6]);
    f.end();
  });

  it("with receive checksums switched off takes nobody's word, and fills in what the host left open", () => {
    const f = new Fixture();
    expect(f.w.ioctl(SIOCSIFCAP, ifcapreq("virt0", 0))).to.equal(0);
    const frame = udpFrame(f.w.ifp.if_lladdr, pattern(100, 3));
    const dv = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    dv.setUint16(ETH + IP + 6, pseudo(frame.subarray(ETH), UDP + 100));
    const whole = cksum(dv, ETH + IP, UDP + 100);
    f.deliver(frame, [[FR_FLAGS, FR_F_DATA_VALID]]);
    f.deliver(frame, [
      [FR_FLAGS, FR_F_NEEDS_CSUM],
      [FR_CSUM_START, ETH + IP],
      [FR_CSUM_OFFSET, 6],
    ]);
    expect(f.got.map((m) => m.m_csum_flags)).to.deep.equal([0, 0]);
    expect(f.got.map((m) => m.m_pool.dv.getUint16(m.m_off + IP + 6))).to.deep.equal([
      dv.getUint16(ETH + IP + 6),
      whole,
    ]);
    f.end();
  });

  it("refuses an open checksum that lies in the headers or beyond the frame: it would be written there", () => {
    const f = new Fixture();
    const frame = udpFrame(f.w.ifp.if_lladdr, pattern(100, 3));
    const places = [
      [0, 0],
      [ETH, 2],
      [ETH + IP - 1, 1],
      [ETH + IP, frame.length - ETH - IP - 1],
      [0xffff, 6],
    ];
    for (const [start, offset] of places) {
      f.deliver(frame, [
        [FR_FLAGS, FR_F_NEEDS_CSUM],
        [FR_CSUM_START, start as number],
        [FR_CSUM_OFFSET, offset as number],
      ]);
    }
    expect(f.got).to.have.length(0);
    expect(f.w.ifp.if_data[IFD_IERRORS]).to.equal(places.length);
    f.end();
  });

  it("gives a TCP superframe up whole, with the length of its headers measured", () => {
    const f = new Fixture();
    const frame = udpFrame(f.w.ifp.if_lladdr, pattern(20_000, 3));
    frame[ETH + 9] = 6;
    frame[ETH + IP + 12] = 0x80;
    f.deliver(frame, [
      [FR_FLAGS, FR_F_NEEDS_CSUM],
      [FR_CSUM_START, ETH + IP],
      [FR_CSUM_OFFSET, 16],
      [FR_GSO_TYPE, FR_GSO_TCPV4],
      [FR_GSO_SIZE, 1448],
      [FR_HDR_LEN, 9999],
    ]);
    const m = f.got[0];
    expect([m?.m_pkthdr_len, m?.m_gso_type, m?.m_gso_size, m?.m_hdr_len]).to.deep.equal([
      frame.length - ETH,
      FR_GSO_TCPV4,
      1448,
      IP + 32,
    ]);
    expect(m === undefined ? null : m_tobytes(m)).to.deep.equal(frame.slice(ETH));
    f.end();
  });

  it("cuts a UDP superframe into datagrams with right lengths, identifications and sums", () => {
    const f = new Fixture();
    const payload = pattern(10_001, 5);
    f.deliver(udpFrame(f.w.ifp.if_lladdr, payload), [
      [FR_FLAGS, FR_F_NEEDS_CSUM],
      [FR_CSUM_START, ETH + IP],
      [FR_CSUM_OFFSET, 6],
      [FR_GSO_TYPE, FR_GSO_UDP_L4],
      [FR_GSO_SIZE, 1400],
    ]);
    expect(f.got).to.have.length(8);
    let at = 0;
    for (const [i, m] of f.got.entries()) {
      const ip = m_tobytes(m);
      const dv = new DataView(ip.buffer);
      const n = Math.min(1400, payload.length - at);
      expect([dv.getUint16(2), dv.getUint16(4), dv.getUint16(24)]).to.deep.equal([
        IP + UDP + n,
        (0xfffe + i) & 0xffff,
        UDP + n,
      ]);
      expect(sum16(ip.subarray(0, IP), 0)).to.equal(0xffff);
      expect(sum16(ip.subarray(IP), pseudo(ip, UDP + n))).to.equal(0xffff);
      expect(ip.slice(IP + UDP)).to.deep.equal(payload.slice(at, at + n));
      expect([m.m_csum_flags, m.m_gso_size, m.m_gso_type]).to.deep.equal([M_CSUM_OK, 0, 0]);
      at += n;
    }
    f.end();
  });

  it("refuses superframes whose header makes no sense, and counts them", () => {
    const f = new Fixture();
    const frame = udpFrame(f.w.ifp.if_lladdr, pattern(3000, 5));
    const bad: (readonly (readonly [number, number])[])[] = [
      [
        [FR_GSO_TYPE, FR_GSO_UDP_L4],
        [FR_GSO_SIZE, 1400],
      ],
      [
        [FR_GSO_TYPE, FR_GSO_UDP_L4],
        [FR_GSO_SIZE, 0],
        [FR_FLAGS, FR_F_NEEDS_CSUM],
        [FR_CSUM_START, 34],
      ],
      [
        [FR_GSO_TYPE, FR_GSO_TCPV4],
        [FR_GSO_SIZE, 1400],
        [FR_FLAGS, FR_F_NEEDS_CSUM],
        [FR_CSUM_START, 60_000],
      ],
      [
        [FR_GSO_TYPE, 77],
        [FR_GSO_SIZE, 1400],
        [FR_FLAGS, FR_F_NEEDS_CSUM],
        [FR_CSUM_START, 34],
      ],
    ];
    for (const words of bad) f.deliver(frame, words);
    expect(f.got).to.have.length(0);
    expect(f.w.ifp.if_data[IFD_IERRORS]).to.equal(bad.length);
    f.end();
  });
});
