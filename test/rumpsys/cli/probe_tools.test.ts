import { expect } from "chai";
import { PF_INET, PF_LOCAL, SOCK_DGRAM, SOCK_STREAM } from "../../../kernel-components/socket/socket_abi.ts";
import { netstat } from "../../../rumpsys/cli/netstat.ts";
import { ping } from "../../../rumpsys/cli/ping.ts";
import { sockstat } from "../../../rumpsys/cli/sockstat.ts";
import { sysctl } from "../../../rumpsys/cli/sysctl.ts";
import { tcpdump } from "../../../rumpsys/cli/tcpdump.ts";
import { traceroute } from "../../../rumpsys/cli/traceroute.ts";
import { ToolWorld } from "./tool_world.ts";

interface PingJson {
  transmitted: number;
  received: number;
  loss_percent: number;
  rtt_ms: { min: number; avg: number; max: number } | null;
  replies: { seq: number; ttl: number }[];
}

describe("rumpsys/cli: looking", () => {
  let w: ToolWorld;

  beforeEach(async () => {
    w = await new ToolWorld().routed();
  });

  afterEach(() => {
    w.end();
  });

  it("ping goes through a router and prints what NetBSD's prints", async () => {
    const text = await w.ok("a", ping, "-n -c 3 -i 0.2 10.0.2.2");
    expect(text).to.match(
      /^PING 10\.0\.2\.2 \(10\.0\.2\.2\): 56 data bytes\n(64 bytes from 10\.0\.2\.2: icmp_seq=\d ttl=254 time=\d+\.\d{6} ms\n){3}\n----10\.0\.2\.2 PING Statistics----\n3 packets transmitted, 3 packets received, 0\.0% packet loss\nround-trip min\/avg\/max\/stddev = [\d./]+ ms\n$/,
    );
  });

  it("ping sends every size, and floods", async () => {
    for (const size of [0, 1, 56, 1472, 1473, 65_507]) {
      const j = await w.json<PingJson>("a", ping, `-c 1 -s ${size} 10.0.2.2`);
      expect(j, `${size} bytes`).to.include({ transmitted: 1, received: 1 });
    }
    const flood = await w.json<PingJson>("a", ping, "-f -c 200 10.0.2.2");
    expect(flood).to.include({ transmitted: 200, received: 200, loss_percent: 0 });
  });

  it("ping fails without an answer, and tells of errors from the way", async () => {
    const silent = await w.run("a", ping, "-c 1 -w 1 10.0.1.99");
    expect(silent.status).to.equal(1);
    expect(silent.out).to.contain("1 packets transmitted, 0 packets received, 100.0% packet loss");
    const expired = await w.run("a", ping, "-c 1 -w 1 -T 1 10.0.2.2");
    expect(expired.status).to.equal(1);
    expect(expired.out).to.contain("from 10.0.1.1: Time To Live exceeded for icmp_seq=0");
    await w.ok("r", sysctl, "-w net.inet.ip.forwarding=0");
    expect((await w.run("a", ping, "-c 1 -w 1 10.0.2.2")).status).to.equal(1);
  });

  it("ping chooses its source, records the route, and stops at the first answer", async () => {
    expect((await w.run("a", ping, "-c 1 -w 1 -I 10.0.9.9 10.0.2.2")).err).to.match(/EADDRNOTAVAIL/);
    expect(await w.ok("a", ping, "-c 1 -I 10.0.1.2 10.0.2.2")).to.contain("1 packets received");
    expect(await w.ok("a", ping, "-c 1 -R 10.0.2.2")).to.match(
      /RR: \t10\.0\.2\.1\n\t10\.0\.2\.2\n\t10\.0\.1\.1\n\t10\.0\.1\.2\n/,
    );
    expect(await w.ok("a", ping, "-o -i 0.1 10.0.2.2")).to.contain("1 packets transmitted, 1 packets received");
  });

  it("ping names what is wrong with its arguments", async () => {
    for (const args of [
      "",
      "nowhere",
      "-c 0 1.2.3.4",
      "-s 65508 1.2.3.4",
      "-i x 1.2.3.4",
      "-z 1.2.3.4",
      "1.2.3.4 5.6.7.8",
      "-p xyz 1.2.3.4",
    ]) {
      const r = await w.run("a", ping, args);
      expect(r.status, args).to.equal(2);
      expect(r.err, args).to.match(/^ping: /);
    }
  });

  it("traceroute shows the way with UDP and with ICMP", async () => {
    for (const how of ["", "-I "]) {
      const text = await w.ok("a", traceroute, `${how}-w 1 10.0.2.2`);
      expect(text).to.match(
        /^traceroute to 10\.0\.2\.2 \(10\.0\.2\.2\), 64 hops max, 40 byte packets\n 1 {2}10\.0\.1\.1( {2}\d+\.\d{3} ms){3}\n 2 {2}10\.0\.2\.2( {2}\d+\.\d{3} ms){3}\n$/,
      );
    }
    const silent = await w.run("a", traceroute, "-w 1 -m 2 -q 1 10.0.1.99");
    expect(silent.status).to.equal(1);
    expect(silent.out).to.match(/\n 1 {2}\*\n 2 {2}\*\n$/);
  });

  it("netstat shows interfaces, neighbours, counters and mbufs", async () => {
    await w.ok("a", ping, "-c 2 -i 0.1 10.0.2.2");
    expect(await w.ok("a", netstat, "-i")).to.match(
      /^Name +Mtu +Network +Address +Ipkts Ierrs +Opkts Oerrs Colls\n[^]*\nshmif0 +1500 +10\.0\.1\.0\/24 +10\.0\.1\.2 +\d+ +0 +\d+ +0 +0\n$/,
    );
    expect(await w.ok("a", netstat, "-rn")).to.match(/\n10\.0\.1\.1 +b2:a0:[0-9a-f:]{11} +UHL +/);
    expect(await w.ok("a", netstat, "-rLn")).to.not.contain("UHL ");
    expect(await w.ok("r", netstat, "-s -p ip")).to.match(/^ip:\n\t\d+ total packets received\n/);
    const s = await w.json<Record<string, Record<string, number>>>("r", netstat, "-s");
    expect((s["ip"]?.["forward"] ?? 0) + (s["ip"]?.["fastforward"] ?? 0)).to.be.at.least(4);
    expect(await w.ok("a", netstat, "-s -p icmp")).to.contain("\t2 echo reply received\n");
    expect(await w.ok("a", netstat, "-m")).to.match(/^mbufs of 256 bytes, at most \d+\n/);
    expect((await w.run("a", netstat, "-f inet6")).status).to.equal(2);
    expect((await w.run("a", netstat, "-s -p nope")).err).to.match(/unknown protocol; there are .*ip/);
  });

  it("netstat and sockstat show sockets", async () => {
    const sys = w.kernel("a").rumpSys;
    const s = sys.socket(PF_INET, SOCK_DGRAM, 0);
    sys.bind(s, { family: "inet", address: "10.0.1.2", port: 53 });
    const c = sys.socket(PF_INET, SOCK_DGRAM, 0);
    await sys.connect(c, { family: "inet", address: "10.0.2.2", port: 7 });
    expect(await w.ok("a", netstat, "-an")).to.match(/\nudp +0 +0 +10\.0\.1\.2\.53 +\*\.\*\n/);
    expect(await w.ok("a", netstat, "-n")).to.match(
      /^Active Internet connections\n[^\n]*\nudp +0 +0 +10\.0\.1\.2\.\d+ +10\.0\.2\.2\.7\n$/,
    );
    expect(await w.ok("a", sockstat, "")).to.match(/\nroot +\d+ +udp +10\.0\.1\.2\.53 +\*\.\*\n/);
    await sys.close(s);
    await sys.close(c);
  });

  it("sockstat shows PF_LOCAL sockets: names, who waits for connections, and who is connected to whom", async () => {
    const sys = w.kernel("a").rumpSys;
    const at = { family: "local", path: "/var/run/log" } as const;
    const listener = sys.socket(PF_LOCAL, SOCK_STREAM);
    sys.bind(listener, at);
    sys.listen(listener);
    const c = sys.socket(PF_LOCAL, SOCK_STREAM);
    await sys.connect(c, at);
    const accepted = (await sys.accept(listener)).fd;
    const pair = sys.socketpair(PF_LOCAL, SOCK_DGRAM);
    const out = await w.ok("a", sockstat, "-u");
    expect(out).to.match(/\nroot +\d+ +stream \/var\/run\/log +\(listening\)\n/);
    expect(out).to.match(/\nroot +\d+ +stream \[(\d+)\] +-> \/var\/run\/log\n/);
    expect(out).to.match(/\nroot +\d+ +dgram +\[(\d+)\] +-> \[(\d+)\]\n.*dgram +\[\2\] +-> \[\1\]\n/);
    expect(await w.ok("a", sockstat, "-4")).to.not.contain("stream");
    const json = await w.json<{ proto: string; path?: string }[]>("a", sockstat, "-ul");
    expect(json.filter((p) => p.path === "/var/run/log").map((p) => p.proto)).to.deep.equal(["stream"]);
    for (const fd of [listener, c, accepted, ...pair]) await sys.close(fd);
  });

  it("tcpdump sees what passes", async () => {
    const seeing = w.run("b", tcpdump, "-i shmif0 -c 4");
    await w.ok("a", ping, "-c 1 10.0.2.2");
    const seen = await seeing;
    expect(seen.status).to.equal(0);
    expect(seen.out).to.match(/10\.0\.1\.2 > 10\.0\.2\.2: ICMP echo request/);
    expect(seen.out).to.match(/10\.0\.2\.2 > 10\.0\.1\.2: ICMP echo reply/);
    expect((await w.run("b", tcpdump, "-i nope0")).err).to.match(/nope0: no such interface/);
    expect((await w.run("b", tcpdump, "-i shmif0 icmp")).err).to.match(/no filters here/);
  });
});
