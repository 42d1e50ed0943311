// NetBSD tests/net/net/t_ip_reass: bad fragments are counted and dropped. They are written to lo0 by bpf(4).
import { expect } from "chai";
import { O_RDWR } from "../../../../kernel-components/kern/fcntl.ts";
import { BIOCSETIF } from "../../../../kernel-components/net/bpf_abi.ts";
import { ifreq } from "../../../../kernel-components/net/if_abi.ts";
import { AF_INET } from "../../../../kernel-components/socket/socket_abi.ts";
import { ip_emit, IpHeader, IP_MF } from "../../../../kernel-components/wire/ipv4.ts";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";

const LOOPBACK = 0x7f000001;
const IPID = 0x4a11;

/** A fragment with the address family in front, as DLT_NULL wants it. `off` in units of 8 bytes, with flags. */
function lopacket(payloadlen: number, off: number, id: number = IPID): Uint8Array {
  const b = new Uint8Array(4 + 20 + payloadlen);
  const dv = new DataView(b.buffer);
  dv.setUint32(0, AF_INET, true);
  const h = new IpHeader();
  Object.assign(h, { ip_len: 20 + payloadlen, ip_id: id, ip_off: off, ip_ttl: 1, ip_src: LOOPBACK, ip_dst: LOOPBACK });
  ip_emit(dv, 4, h);
  return b;
}

/** Writes packets; how much each named counter grew. */
class LoBpf {
  private readonly w: NetWorld;
  private readonly fd: number;

  constructor(w: NetWorld) {
    this.w = w;
    this.fd = w.sys("host").open("/dev/bpf", O_RDWR);
    w.sys("host").ioctl(this.fd, BIOCSETIF, ifreq("lo0"));
  }

  write(packet: Uint8Array, counter: string): number {
    const before = this.w.stat("host", "ip", counter);
    expect(this.w.sys("host").sync.write(this.fd, packet)).to.equal(packet.length);
    this.w.sleep(0.005);
    return this.w.stat("host", "ip", counter) - before;
  }

  close(): void {
    this.w.sys("host").sync.close(this.fd);
  }
}

describe("net/net/t_ip_reass", () => {
  net_case("ip_reass__multiple_last_fragments", (w) => {
    const lo = new LoBpf(w);
    // NetBSD: all are counted as fragdropped; ours says of what overlaps or contradicts that it does, and gives up the datagram (RFC 5722).
    expect(lo.write(lopacket(16, 0x10), "fragments")).to.equal(1);
    expect(lo.write(lopacket(16, 0x20), "overlapfrags"), "a second last fragment").to.equal(2);
    for (const [what, p] of [
      ["a fragment behind the last", lopacket(16, IP_MF | 0x20)],
      ["one before it that overlaps", lopacket(16, 0x8)],
      ["one with the same offset that is longer", lopacket(32, 0x10)],
    ] as const) {
      const before = w.stat("host", "ip", "fragdropped") + w.stat("host", "ip", "overlapfrags");
      lo.write(p, "fragments");
      expect(w.stat("host", "ip", "fragdropped") + w.stat("host", "ip", "overlapfrags") - before, what).to.equal(1);
    }
    lo.close();
    w.sleep(60);
  });

  net_case("ip_reass__zero_length_fragment", (w) => {
    const lo = new LoBpf(w);
    expect(lo.write(lopacket(0, IP_MF | 0x10), "badfrags")).to.equal(1);
    lo.write(lopacket(0, 0x10, ~IPID & 0xffff), "badfrags");
    lo.close();
    w.sleep(60);
  });

  net_case("ip_reass__large_fragment", (w) => {
    const lo = new LoBpf(w);
    expect(lo.write(lopacket(16, IP_MF | 0x1fff), "toolong")).to.equal(1);
    expect(lo.write(lopacket(16, 0x1fff), "toolong")).to.equal(1);
    lo.close();
  });
});
