import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { PcapError, pcap_open } from "../../../drivers/pcap/pcap.component.ts";
import { pcapFile } from "../../../drivers/pcap/host/pcap_file.ts";
import { EAGAIN, EBUSY, EIO, ENXIO } from "../../../hypercall/api/errno.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { m_copym } from "../../../kernel-components/kern/mbuf_copy.ts";
import { M_COPYALL, type Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import {
  ifdrv,
  ifreq,
  ifreq_flags,
  SIOCIFCREATE,
  SIOCIFDESTROY,
  SIOCSIFFLAGS,
  SIOCSLINKSTR,
} from "../../../kernel-components/net/if_abi.ts";
import { IFF_UP } from "../../../kernel-components/net/if_flags.ts";
import { NET_KEY } from "../../../kernel-components/net/net.ts";
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from "../../../kernel-components/wire/linktype.ts";
import {
  EPB_DROPCOUNT,
  EPB_FLAGS,
  EPB_PACKETID,
  EPB_VERDICT,
  ISB_IFDROP,
  ISB_IFRECV,
  ISB_OSDROP,
  ISB_USRDELIV,
  PCAPNG_EPB,
  PCAPNG_IDB,
  PCAPNG_ISB,
} from "../../../kernel-components/wire/pcapng_format.ts";
import type { PcapngBlock } from "../../../kernel-components/wire/pcapng_reader.ts";
import { needProgram } from "../../support/need.ts";
import { ip_packet, PcapWorld, SINK_FULL } from "./pcap_world.ts";

function number(block: PcapngBlock | undefined, code: number): number {
  const value = block?.option(code) ?? null;
  if (value === null) return -1;
  return new DataView(value.buffer, value.byteOffset).getUint32(0, true);
}

describe("pcap", () => {
  let w: PcapWorld;
  const packets = (): PcapngBlock[] => w.blocks().blocks.filter((b) => b.type === PCAPNG_EPB);
  beforeEach(() => {
    w = new PcapWorld();
  });
  afterEach(() => w.t.end());

  it("describes each interface once and writes every packet with its bytes, direction, audience and time", () => {
    const capture = w.open(["virt0", "ptp0"]);
    const frame = w.frame(ip_packet(60));
    w.arrive(frame);
    w.arrive(w.frame(ip_packet(50), new Uint8Array(6).fill(255)));
    w.send(ip_packet(2000));
    w.ptp.inject(ip_packet(40));
    w.send_frame(frame);
    const sent = w.t.now();
    expect(capture.close()).to.equal(0);
    const { reader } = w.blocks();
    expect(reader.interfaces.map((i) => [i.name, i.description, i.linktype, i.tsresol])).to.deep.equal([
      ["virt0", "k virt0", LINKTYPE_ETHERNET, 9],
      ["ptp0", "k ptp0", LINKTYPE_RAW, 9],
    ]);
    const got = packets();
    expect(got.map((p) => [p.ifid, p.origlen, p.data.length, number(p, EPB_FLAGS)])).to.deep.equal([
      [0, 74, 74, 1 | 4],
      [0, 64, 64, 1 | 12],
      [1, 2000, 2000, 2],
      [1, 40, 40, 1],
      [0, 74, 74, 2 | 4],
    ]);
    expect(got[0]!.data).to.deep.equal(frame);
    expect(got[2]!.data).to.deep.equal(ip_packet(2000));
    expect((got[4]!.sec - 1e9) * 1e9 + got[4]!.nsec).to.equal(sent);
    const ids = got.map((p) => number(p, EPB_PACKETID));
    expect(new Set(ids).size).to.equal(5);
    expect(Math.min(...ids)).to.be.above(0);
  });

  it("keeps the number of a packet from hop to hop", () => {
    const capture = w.open();
    const { ifp } = w.ptp;
    w.on_ip = (_ifp, m): void => void ifp.if_output(ifp, m, 2, 0, null);
    w.arrive(w.frame(ip_packet(100)));
    capture.close();
    const got = packets();
    expect(got.map((p) => w.blocks().reader.interfaces[p.ifid]?.name)).to.deep.equal(["virt0", "ptp0"]);
    expect(number(got[0], EPB_PACKETID)).to.equal(number(got[1], EPB_PACKETID));
  });

  it("puts the verdict on the packet itself, with the reason as comment, once", () => {
    const capture = w.open();
    w.virt.if_flags |= 0x100; // promiscuous: the frame is for another station
    w.arrive(w.frame(ip_packet(40), Uint8Array.of(2, 0, 0, 0, 0, 77)));
    w.on_ip = (ifp, m): void => {
      ifp.if_capture?.drop(m, "badsum");
      m_freem(m);
    };
    w.arrive(w.frame(ip_packet(41)));
    w.arrive(w.frame(ip_packet(42), w.virt.if_lladdr, 0x1234));
    w.arrive(new Uint8Array(10));
    capture.close();
    const got = packets();
    expect(got.map((p) => [p.comment, p.origlen, number(p, EPB_FLAGS)])).to.deep.equal([
      ["not_for_us", 54, 5],
      ["badsum", 55, 5],
      ["noproto", 56, 5],
      ["runt", 10, -1],
    ]);
    for (const p of got) expect([...p.option(EPB_VERDICT)!]).to.deep.equal([1, 2, 0, 0, 0, 0, 0, 0, 0]);
    expect(w.blocks().reader.interfaces.filter((i) => i.name === "virt0").length).to.equal(1);
  });

  it("gives a late verdict a record of its own, with the packet's number, behind a link header of its own where that is gone", () => {
    const capture = w.open(["virt0"]);
    const kept: Mbuf[] = [];
    w.on_ip = (_ifp, m): void => {
      kept.push(m);
    };
    w.arrive(w.frame(ip_packet(80)));
    w.arrive(w.frame(ip_packet(90)));
    w.t.in_kernel(() => {
      const copy = m_copym(kept[0]!, 0, M_COPYALL)!;
      w.virt.if_capture?.drop(copy, "fragtimeout");
      m_freem(copy);
    });
    kept.forEach((m) => m_freem(m));
    capture.close();
    const got = packets();
    expect(got.map((p) => [p.ifid, p.data.length, p.comment])).to.deep.equal([
      [0, 94, ""],
      [0, 104, ""],
      [0, 94, "fragtimeout"],
    ]);
    expect(got[2]!.data).to.deep.equal(Uint8Array.of(...w.virt.if_lladdr, 0, 0, 0, 0, 0, 0, 8, 0, ...ip_packet(80)));
    expect(number(got[2], EPB_PACKETID)).to.equal(number(got[0], EPB_PACKETID));
    // One link type: tcpdump reads no other file.
    expect(w.blocks().reader.interfaces.map((i) => i.linktype)).to.deep.equal([LINKTYPE_ETHERNET]);
  });

  it("cuts packets at snaplen and tells their true length", () => {
    const capture = w.open(["ptp0"], { snaplen: 33 });
    w.send(ip_packet(1500));
    w.send(ip_packet(28));
    capture.close();
    expect(packets().map((p) => [p.origlen, p.data.length])).to.deep.equal([
      [1500, 33],
      [28, 28],
    ]);
    expect(packets()[0]!.data).to.deep.equal(ip_packet(1500).slice(0, 33));
  });

  it("ends with the counters of each interface, also when the kernel is shut down under it", () => {
    w.open(["ptp0"]);
    w.send(ip_packet(30));
    w.ptp.inject(Uint8Array.of(0x90, 0, 0));
    w.t.k.shutdown();
    const last = w.blocks().blocks.pop()!;
    expect(last.type).to.equal(PCAPNG_ISB);
    expect([ISB_IFRECV, ISB_IFDROP, ISB_OSDROP, ISB_USRDELIV].map((code) => number(last, code))).to.deep.equal([
      2, 1, 0, 2,
    ]);
  });

  it("captures interfaces that come later too, when no names were given, with the address they then have", () => {
    const capture = w.open();
    const named = (): number => w.blocks().blocks.filter((b) => b.type === PCAPNG_IDB).length;
    const before = named();
    w.ioctl(SIOCIFCREATE, ifreq("virt1"));
    w.ioctl(SIOCSLINKSTR, ifdrv("virt1", 0, new TextEncoder().encode("w\0")));
    w.ioctl(SIOCSIFFLAGS, ifreq_flags("virt1", IFF_UP));
    w.ioctl(SIOCSIFFLAGS, ifreq_flags("virt1", 0));
    w.ioctl(SIOCSIFFLAGS, ifreq_flags("virt1", IFF_UP));
    expect(named()).to.equal(before + 1);
    w.arrive(w.frame(ip_packet(40), new Uint8Array(6).fill(0xff)));
    expect(packets().filter((p) => p.ifid === before).length).to.equal(1);
    capture.close();
    w.ioctl(SIOCIFDESTROY, ifreq("virt1"));
    expect(w.t.k.softc(NET_KEY).if_up_hooks).to.deep.equal([]);
  });

  it("writes once for all packets of one kernel entry", () => {
    const capture = w.open(["ptp0"]);
    const before = w.writes;
    w.t.in_kernel(() => {
      for (let i = 0; i < 50; i++) w.send(ip_packet(100));
    });
    expect(w.writes).to.equal(before + 1);
    capture.close();
    expect(packets().length).to.equal(50);
  });

  it("bounds what waits for a slow sink, counts what it loses and says so at the next packet and at the end", () => {
    const capture = w.open(["ptp0"], { bufsize: 131_072 });
    w.answer = SINK_FULL;
    for (let i = 0; i < 200; i++) w.send(ip_packet(1400));
    expect(capture.lost).to.be.within(100, 130);
    w.answer = 0;
    w.send(ip_packet(99));
    expect(capture.close()).to.equal(0);
    const got = packets();
    expect(got.length).to.equal(201 - capture.lost);
    expect(got.at(-1)?.origlen).to.equal(99);
    expect(got.reduce((n, p) => n + Math.max(0, number(p, EPB_DROPCOUNT)), 0)).to.equal(capture.lost);
    expect(number(w.blocks().blocks.pop(), ISB_OSDROP)).to.equal(capture.lost);
  });

  it("says that what waited was lost when it is closed on a sink that is full", () => {
    const capture = w.open(["ptp0"]);
    w.answer = SINK_FULL;
    w.send(ip_packet(60));
    expect(capture.close()).to.equal(EAGAIN);
  });

  it("stops at an error of the sink, keeps it, says it on the console, and lets the packets pass", () => {
    const capture = w.open();
    w.answer = EIO;
    w.send(ip_packet(60));
    expect([capture.error, w.ptp.ifp.if_capture, w.virt.if_capture]).to.deep.equal([EIO, null, null]);
    w.send(ip_packet(60));
    expect(String.fromCharCode(...w.t.k.cons.msgbuf())).to.match(/pcap: capture ends: EIO/);
    expect(capture.attach(w.virt)).to.equal(ENXIO);
    expect(capture.close()).to.equal(EIO);
    expect(capture.attach(w.virt)).to.equal(ENXIO);
  });

  it("refuses unknown interfaces, a second capture and options that make no sense, and leaves nothing behind", () => {
    const sink = (): number => 0;
    const capture = w.open(["virt0"]);
    expect(() => pcap_open(w.t.k, sink, ["virt9"])).to.throw(
      PcapError,
      /no interface virt9; there are: lo0, virt0, ptp0/,
    );
    expect(() => pcap_open(w.t.k, sink, ["ptp0", "virt0"])).to.throw(PcapError, /virt0 is being captured already/);
    expect(() => pcap_open(w.t.k, sink, [], { snaplen: -1 })).to.throw(PcapError, /snaplen -1/);
    expect(() => pcap_open(w.t.k, sink, [], { bufsize: 5 })).to.throw(PcapError, /bufsize 5/);
    expect(w.ptp.ifp.if_capture).to.equal(null);
    expect(capture.attach(w.virt)).to.equal(EBUSY);
    capture.detach(w.virt);
    expect(capture.attach(w.virt)).to.equal(0);
    expect(capture.close()).to.equal(0);
    expect(capture.close()).to.equal(0);
  });

  describe("pcapFile", () => {
    let dir: string;
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), "pcap-"));
    });
    afterEach(() => rmSync(dir, { recursive: true }));

    it("writes a file that only its owner reads, byte for byte what the sink is given", () => {
      const path = join(dir, "a.pcapng");
      const file = pcapFile(path);
      const capture = pcap_open(w.t.k, file.sink, ["ptp0"]);
      w.send(ip_packet(100));
      expect(capture.close()).to.equal(0);
      file.close();
      file.close();
      expect(statSync(path).mode & 0o777).to.equal(0o600);
      expect(readFileSync(path).length).to.be.above(200);
      expect(file.sink(new Uint8Array(1))).to.equal(ENXIO);
    });

    it("names the path and the reason when it cannot", () => {
      expect(() => pcapFile(join(dir, "none", "a"))).to.throw(/cannot write the capture .*none\/a: ENOENT/);
      expect(existsSync(join(dir, "none"))).to.equal(false);
    });

    it("is read by tshark without a malformed packet, with names, directions and verdicts", function () {
      needProgram(this, "tshark");
      this.timeout(60_000);
      const path = join(dir, "b.pcapng");
      const file = pcapFile(path);
      const capture = pcap_open(w.t.k, file.sink, ["virt0"], { comment: "two interfaces" });
      w.arrive(w.frame(ip_packet(100)));
      w.on_ip = (ifp, m): void => {
        ifp.if_capture?.drop(m, "badsum");
        m_freem(m);
      };
      w.arrive(w.frame(ip_packet(101)));
      capture.attach(w.ptp.ifp);
      w.send(ip_packet(1000));
      expect(capture.close()).to.equal(0);
      file.close();
      const fields = [
        "frame.interface_name",
        "frame.len",
        "frame.packet_flags_direction",
        "frame.comment",
        "_ws.malformed",
      ];
      const args = ["-n", "-r", path, "-T", "fields", "-E", "separator=|", ...fields.flatMap((f) => ["-e", f])];
      expect(
        execFileSync("tshark", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
          .trim()
          .split("\n"),
      ).to.deep.equal(["virt0|114|0x00000001||", "virt0|115|0x00000001|badsum|", "ptp0|1000|0x00000002||"]);
      const verbose = execFileSync("tshark", ["-n", "-r", path, "-V"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      expect(verbose).to.match(/Verdict/);
      expect(verbose).not.to.match(/Malformed/i);
    });

    it("is read by tcpdump when all interfaces have one link type", function () {
      needProgram(this, "tcpdump");
      const path = join(dir, "c.pcapng");
      const file = pcapFile(path);
      const capture = pcap_open(w.t.k, file.sink, ["virt0"]);
      w.arrive(w.frame(ip_packet(100)));
      expect(capture.close()).to.equal(0);
      file.close();
      const text = execFileSync("tcpdump", ["-n", "-r", path], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      expect(text).to.match(/IP 10\.0\.0\.2\.9 > 10\.0\.0\.1\.9: UDP, length 72/);
    });
  });
});
