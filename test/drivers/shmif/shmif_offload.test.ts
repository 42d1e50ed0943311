/** Open checksums and superframes on the bus: what is published, what is believed, what tools see. */
import { expect } from "chai";
import fc from "fast-check";
import type { ShmifSoftc } from "../../../drivers/shmif/if_shmif.ts";
import { type ShmifRecord, shmif_view } from "../../../drivers/shmif/shmif_dump.ts";
import { SHMIF_BUSBYTES_MIN } from "../../../drivers/shmif/shmif_layout.ts";
import { SHMIF_CAPS, SHMIF_MAXSEGS, shmif_offload_in } from "../../../drivers/shmif/shmif_offload.ts";
import { SimWorld } from "../../../hypercall/sim/sim_world.ts";
import { slab_create } from "../../../hypercall/slab/slab.ts";
import { type Mbuf, MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_getcl } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { GSO_TCPV4, GSO_UDP_L4 } from "../../../kernel-components/net/gso_segment.ts";
import type { Ifnet } from "../../../kernel-components/net/if.ts";
import { ifcapreq, SIOCSIFCAP } from "../../../kernel-components/net/if_abi.ts";
import { ifunit } from "../../../kernel-components/net/if_attach.ts";
import { NET_KEY, NETS_SWCSUM } from "../../../kernel-components/net/net.ts";
import { PF_INET, SOCK_DGRAM } from "../../../kernel-components/socket/socket_abi.ts";
import {
  rump_pub_netconfig_ifcreate,
  rump_pub_netconfig_ifsetlinkstr,
  rump_pub_netconfig_ifup,
  rump_pub_netconfig_ipv4_ifaddr_cidr,
} from "../../../rumpsys/netconfig.ts";
import { rump_init_sync } from "../../../rumpsys/rump_init.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";

const ETH = 14;
const UDP = ETH + 20;

/** A naive sum, apart from the one under test (RFC 1071 §1). */
function sum16(bytes: Uint8Array, start: number): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return sum;
}

describe("shmif offload", () => {
  let world: SimWorld;
  let kernels: RumpKernel[];

  beforeEach(() => {
    world = new SimWorld({ slab: slab_create(64 << 20) });
    kernels = [];
  });
  afterEach(() => {
    for (const rk of kernels) expect(rk.shutdown().text).to.equal("");
  });

  const station = (name: string, addr: string): RumpKernel => {
    const rk = rump_init_sync(world.host(name));
    kernels.push(rk);
    rk.rumpSys.sysctlbyname("net.link.shmif.busbytes", SHMIF_BUSBYTES_MIN + 151_552 * 6);
    expect(rump_pub_netconfig_ifcreate(rk, "shmif0")).to.equal(0);
    expect(rump_pub_netconfig_ifsetlinkstr(rk, "shmif0", "bus")).to.equal(0);
    expect(rump_pub_netconfig_ipv4_ifaddr_cidr(rk, "shmif0", addr, 24)).to.equal(0);
    expect(rump_pub_netconfig_ifup(rk, "shmif0")).to.equal(0);
    return rk;
  };
  const ifp = (rk: RumpKernel): Ifnet => ifunit(rk.k.softc(NET_KEY), "shmif0") as Ifnet;
  const softc = (rk: RumpKernel): ShmifSoftc => ifp(rk).if_softc as ShmifSoftc;
  const udp_frames = (rk: RumpKernel): ShmifRecord[] => {
    const port = softc(rk).sc_port;
    if (port === null) throw new Error("no bus");
    const view = shmif_view(rk.k.u8, rk.k.i32, port.base, port.geo.bytes);
    if (typeof view === "string") throw new Error(view);
    return view.records.filter((r) => r.data[12] === 8 && r.data[13] === 0 && r.data[ETH + 9] === 17);
  };
  const set_caps = (rk: RumpKernel, caps: number): void => {
    const s = rk.rumpSys.socket(PF_INET, SOCK_DGRAM);
    rk.rumpSys.ioctl(s, SIOCSIFCAP, ifcapreq("shmif0", caps));
    rk.rumpSys.sync.close(s);
  };
  /** Sends from a to b and answers what lay on the bus. */
  const exchange = (a: RumpKernel, b: RumpKernel, to: string): ShmifRecord => {
    const rx = b.rumpSys.socket(PF_INET, SOCK_DGRAM);
    b.rumpSys.bind(rx, { family: "inet", address: "0.0.0.0", port: 9 });
    const tx = a.rumpSys.socket(PF_INET, SOCK_DGRAM);
    const sent = Uint8Array.from({ length: 1001 }, (_, i) => i * 7);
    a.rumpSys.sync.sendto(tx, sent, 0, { family: "inet", address: to, port: 9 });
    world.advance(1e9);
    const buf = new Uint8Array(2000);
    const n = b.rumpSys.sync.recv(rx, buf);
    b.rumpSys.sync.close(rx);
    a.rumpSys.sync.close(tx);
    expect(buf.subarray(0, n)).to.deep.equal(sent);
    const record = udp_frames(a).at(-1);
    if (record === undefined) throw new Error("nothing on the bus");
    const ip = record.data.subarray(ETH, UDP);
    expect(
      sum16(record.data.subarray(UDP), sum16(ip.subarray(12, 20), 17 + record.data.length - UDP)),
      "checksum",
    ).to.equal(0xffff);
    return record;
  };

  it("publishes datagrams with their checksum open; whoever looks at the bus sees it filled in", () => {
    const a = station("a", "10.0.0.1");
    const b = station("b", "10.0.0.2");
    world.advance(1e9);
    expect(ifp(a).if_capabilities).to.equal(SHMIF_CAPS);
    expect(exchange(a, b, "10.0.0.2").csum_open).to.equal(true);
    expect([a, b].map((rk) => rk.k.softc(NET_KEY).netstat[NETS_SWCSUM])).to.deep.equal([0, 0]);
  });

  it("does the work in software for the side whose capability is switched off", () => {
    const a = station("a", "10.0.0.1");
    const b = station("b", "10.0.0.2");
    world.advance(1e9);
    set_caps(b, 0);
    expect(exchange(a, b, "10.0.0.2").csum_open).to.equal(true);
    expect(b.k.softc(NET_KEY).netstat[NETS_SWCSUM]).to.equal(1);
    expect(exchange(b, a, "10.0.0.1").csum_open).to.equal(false);
  });

  it("believes a descriptor only as far as the frame bears it out", () => {
    const rk = rump_init_sync(world.host("a"));
    kernels.push(rk);
    const word = fc.oneof(
      fc.integer(),
      fc.integer({ min: 0, max: 0x7fff }).map((v) => (v << 16) | 6),
      fc.constant((34 << 16) | 16),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 14, max: 1600 }),
        fc.integer({ min: 0, max: 255 }),
        fc.integer(),
        word,
        word,
        (len, fill, csum, pos, gso) => {
          const m = m_getcl(rk.k.mb, MT_DATA, true) as Mbuf;
          rk.k.u8.fill(fill, m.m_off, m.m_off + len);
          m.m_len = len;
          m.m_pkthdr_len = len;
          const taken = shmif_offload_in(m, csum, pos, gso);
          if (taken && m.m_csum_flags !== 0) expect(m.m_csum_start + m.m_csum_offset + 2).to.be.at.most(len);
          if (taken && m.m_gso_size !== 0) {
            expect(m.m_csum_flags).to.not.equal(0);
            expect(m.m_hdr_len).to.be.within(42, len);
            expect(Math.ceil((len - m.m_hdr_len) / m.m_gso_size)).to.be.at.most(SHMIF_MAXSEGS);
          }
          m_freem(m);
        },
      ),
    );
    const m = m_getcl(rk.k.mb, MT_DATA, true) as Mbuf;
    m.m_len = 1400;
    m.m_pkthdr_len = 1400;
    const at = (34 << 16) | 6;
    for (const [csum, pos, gso] of [
      [1, (1395 << 16) | 6, 0],
      [1, (33 << 16) | 6, 0],
      [0, 0, (GSO_UDP_L4 << 16) | 500],
      [1, at, GSO_UDP_L4 << 16],
      [1, at, (9 << 16) | 500],
      [1, at, (GSO_UDP_L4 << 16) | 1],
    ] as const)
      expect(shmif_offload_in(m, csum, pos, gso), `${csum} ${pos} ${gso}`).to.equal(false);
    rk.k.u8[m.m_off + 34 + 12] = 0x40;
    expect(shmif_offload_in(m, 1, (34 << 16) | 16, (GSO_TCPV4 << 16) | 500), "a TCP header of 16 bytes").to.equal(
      false,
    );
    rk.k.u8[m.m_off + 34 + 12] = 0x80;
    expect(shmif_offload_in(m, 1, (34 << 16) | 16, (GSO_TCPV4 << 16) | 500)).to.equal(true);
    expect([m.m_hdr_len, m.m_gso_size]).to.deep.equal([66, 500]);
    m_freem(m);
  });
});
