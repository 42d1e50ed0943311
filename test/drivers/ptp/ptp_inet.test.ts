import { expect } from "chai";
import { ptp_attach, ptpComponent } from "../../../drivers/ptp/ptp.component.ts";
import { inetComponent } from "../../../kernel-components/inet/inet.component.ts";
import { ifaliasreq, SIOCAIFADDR } from "../../../kernel-components/net/if_abi.ts";
import { ifioctl } from "../../../kernel-components/net/if_ioctl.ts";
import { netComponent } from "../../../kernel-components/net/net.component.ts";
import { NET_KEY } from "../../../kernel-components/net/net.ts";
import { socketComponent } from "../../../kernel-components/socket/socket.component.ts";
import { mk_sockaddr_in } from "../../../kernel-components/wire/sockaddr.ts";
import { bootKernel, type TestKernel } from "../../support/kernel.ts";

const KERNEL = 0x0a000001;
const PROGRAM = 0x0a000002;

/** RFC 1071, word by word. */
function checksum(dv: DataView, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i += 2) sum += i + 1 < to ? dv.getUint16(i) : dv.getUint8(i) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An ICMP echo request from the program to `dst` with `len` bytes of data. */
function echo(dst: number, len: number, seq: number): Uint8Array {
  const pkt = new Uint8Array(28 + len).map((_, i) => i * 3);
  const dv = new DataView(pkt.buffer);
  pkt.set([0x45, 0, 0, 0, 0, seq, 0, 0, 64, 1, 0, 0]);
  dv.setUint16(2, pkt.length);
  dv.setUint32(12, PROGRAM);
  dv.setUint32(16, dst);
  pkt.set([8, 0, 0, 0, 0x12, 0x34, 0, seq], 20);
  dv.setUint16(10, checksum(dv, 0, 20));
  dv.setUint16(22, checksum(dv, 20, pkt.length));
  return pkt;
}

describe("ptp with IPv4", () => {
  let t: TestKernel;
  afterEach(() => t.end());

  it("answers a program's echo request of every kind of size, byte for byte, and routes to the other end without ARP", () => {
    const out: Uint8Array[] = [];
    t = bootKernel([socketComponent, netComponent, inetComponent, ptpComponent]);
    const port = ptp_attach(t.k, 0, { mtu: 1500, output: (pkt) => out.push(pkt) });
    const req = ifaliasreq("ptp0", mk_sockaddr_in(KERNEL), mk_sockaddr_in(PROGRAM), mk_sockaddr_in(0xffffffff | 0));
    expect(t.in_kernel(() => ifioctl(t.k.softc(NET_KEY), null, SIOCAIFADDR, req, null))).to.equal(0);
    t.run(2e9);
    out.length = 0;
    for (const len of [0, 1, 56, 1472]) {
      const request = echo(KERNEL, len, len & 0xff);
      expect(port.inject(request)).to.equal(0);
      expect(out.length, `echo of ${len}`).to.equal(1);
      const reply = out.pop()!;
      const dv = new DataView(reply.buffer);
      expect([dv.getUint32(12), dv.getUint32(16), reply[20], reply.length]).to.deep.equal([
        KERNEL,
        PROGRAM,
        0,
        request.length,
      ]);
      expect([checksum(dv, 0, 20), checksum(dv, 20, reply.length)]).to.deep.equal([0, 0]);
      expect(reply.subarray(24)).to.deep.equal(request.subarray(24));
    }
    const big = echo(KERNEL, 5000, 9);
    expect(port.inject(big)).to.equal(0);
    expect(out.length).to.equal(4); // 5028 bytes through an MTU of 1500
    expect(out.every((p) => p.length <= 1500)).to.equal(true);
  });
});
