// NetBSD tests/net/icmp/t_ping: echo of every size, floods, and packets that are too long.
import { expect } from "chai";
import { IP_HDRINCL } from "../../../../kernel-components/inet/in.ts";
import {
  PF_INET,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_RAW,
  SOL_SOCKET,
} from "../../../../kernel-components/socket/socket_abi.ts";
import { icmp_emit, IcmpHeader, ICMP_ECHO, ICMP_ECHOREPLY } from "../../../../kernel-components/wire/icmp.ts";
import { IPPROTO_ICMP, IPPROTO_IP } from "../../../../kernel-components/wire/in.ts";
import { ip_emit, IpHeader, IP_MF } from "../../../../kernel-components/wire/ipv4.ts";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";
import { codeOf } from "../../../rumpsys/sim_rump.ts";

const HOST = "1.1.1.10";
const LOOPS = 10_000;
const IP_MAXPACKET = 65_535;
const ICMP_MINLEN = 8;

function setup(w: NetWorld): void {
  w.netcfg_rump_if("a", "shmif0", "bus1", "1.1.1.20/24");
  w.netcfg_rump_if("b", "shmif0", "bus1", `${HOST}/24`);
}

/** An echo request of pktsize bytes, ICMP header included. */
function echo(pktsize: number, seq: number): Uint8Array {
  const h = new IcmpHeader();
  Object.assign(h, {
    icmp_type: ICMP_ECHO,
    icmp_void: (37 << 16) | (seq & 0xffff),
    icmp_data: new Uint8Array(pktsize - ICMP_MINLEN),
  });
  const b = new Uint8Array(pktsize);
  icmp_emit(new DataView(b.buffer), 0, h);
  return b;
}

/** A raw socket that pings. */
class Pinger {
  private readonly w: NetWorld;
  private readonly name: string;
  private readonly fd: number;
  private readonly to: { family: "inet"; address: string; port: number };
  private readonly buf: Uint8Array = new Uint8Array(IP_MAXPACKET);

  constructor(w: NetWorld, name: string, address: string) {
    this.w = w;
    this.name = name;
    this.to = { family: "inet", address, port: 0 };
    const sys = w.sys(name);
    this.fd = sys.socket(PF_INET, SOCK_RAW, IPPROTO_ICMP);
    for (const option of [SO_SNDBUF, SO_RCVBUF]) sys.setsockopt(this.fd, SOL_SOCKET, option, 200_000);
  }

  send(pktsize: number, seq: number): void {
    this.w.sys(this.name).sync.sendto(this.fd, echo(pktsize, seq), 0, this.to);
  }

  /** Replies of that size that have come. */
  replies(pktsize: number): number {
    const { sync } = this.w.sys(this.name);
    let n = 0;
    for (;;) {
      let len = -1;
      if (codeOf(() => (len = sync.recv(this.fd, this.buf))) !== "") return n;
      if (this.buf[20] === ICMP_ECHOREPLY && len === pktsize + 20) n++;
    }
  }

  close(): void {
    this.w.sys(this.name).sync.close(this.fd);
  }
}

describe("net/icmp/t_ping", function () {
  this.timeout(60_000);

  net_case("simpleping", async (w) => {
    setup(w);
    await w.ping("a", HOST);
    await w.ping_fails("a", "1.1.1.30");
  });

  net_case("floodping", (w) => {
    setup(w);
    const a = new Pinger(w, "a", HOST);
    let got = 0;
    for (let i = 0; i < LOOPS; i++) {
      a.send(56, i);
      w.sleep(0.00001);
      got += a.replies(56);
    }
    w.sleep(1);
    expect(got + a.replies(56)).to.equal(LOOPS);
    a.close();
  });

  net_case("floodping2", (w) => {
    setup(w);
    const both = [new Pinger(w, "a", HOST), new Pinger(w, "b", "1.1.1.20")];
    let got = 0;
    for (let i = 0; i < LOOPS / 2; i++) {
      for (const p of both) p.send(56, i);
      w.sleep(0.00001);
      for (const p of both) got += p.replies(56);
    }
    w.sleep(1);
    for (const p of both) got += p.replies(56);
    expect(got).to.equal(LOOPS);
    for (const p of both) p.close();
  });

  net_case("pingsize", (w) => {
    setup(w);
    const a = new Pinger(w, "a", HOST);
    const sizes: number[] = [];
    for (let i = ICMP_MINLEN; i < IP_MAXPACKET - 60_000; i++) sizes.push(i);
    for (let i = IP_MAXPACKET - 60_000; i < IP_MAXPACKET - 100; i += 1000) sizes.push(i);
    for (let i = IP_MAXPACKET - 100; i <= IP_MAXPACKET - 20; i++) sizes.push(i);
    for (const [seq, size] of sizes.entries()) {
      a.send(size, seq);
      w.sleep(0.01);
      expect(a.replies(size), `${size} bytes`).to.equal(1);
    }
    expect(codeOf(() => a.send(IP_MAXPACKET - 19, 0))).to.equal("EMSGSIZE");
    a.close();
  });

  net_case("ping_of_death", async (w) => {
    setup(w);
    await w.ping("a", HOST);
    const sys = w.sys("a");
    const fd = sys.socket(PF_INET, SOCK_RAW, 0);
    sys.setsockopt(fd, IPPROTO_IP, IP_HDRINCL, 1);
    const before = w.stat("b", "ip", "toolong");
    const data = 1480;
    for (let off = 0; off < 65_538 - 20; off += data) {
      const last = off + data >= 65_538 - 20;
      const len = last ? 65_538 - off : data;
      const b = new Uint8Array(20 + len);
      const h = new IpHeader();
      Object.assign(h, {
        ip_len: 20 + len,
        ip_id: 1234,
        ip_off: (off >> 3) | (last ? 0 : IP_MF),
        ip_ttl: 64,
        ip_p: IPPROTO_ICMP,
        ip_src: 0x01010114,
        ip_dst: 0x0101010a,
      });
      ip_emit(new DataView(b.buffer), 0, h);
      if (off === 0) b.set(echo(data, 1), 20);
      sys.sync.sendto(fd, b, 0, { family: "inet", address: HOST, port: 0 });
    }
    w.sleep(1);
    expect(w.stat("b", "ip", "toolong") - before).to.be.at.least(1);
    await w.ping("a", HOST);
    sys.sync.close(fd);
    w.sleep(60);
  });
});
