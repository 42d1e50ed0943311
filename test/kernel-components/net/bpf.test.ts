// /dev/bpf: the ioctls, what a reader gets and when, what a writer sends, and nothing leaked.
import { expect } from "chai";
import {
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENETDOWN,
  ENOMEM,
  ENOTTY,
  ENXIO,
  EPERM,
  EWOULDBLOCK,
} from "../../../hypercall/api/errno.ts";
import { SysctlLen } from "../../../kernel-components/kern/sysctl_bytes.ts";
import { sys_open } from "../../../kernel-components/kern/sys_generic.ts";
import { sys_poll, Pollfd } from "../../../kernel-components/kern/sys_poll.ts";
import { O_RDWR } from "../../../kernel-components/kern/fcntl.ts";
import { M_BCAST, type Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_devget } from "../../../kernel-components/kern/mbuf_bytes.ts";
import { POLLIN } from "../../../kernel-components/kern/select.ts";
import { RetVal } from "../../../kernel-components/kern/uio.ts";
import { EWAIT } from "../../../kernel-components/kern/wakeup.ts";
import {
  BIOCFLUSH,
  BIOCGBLEN,
  BIOCGDLT,
  BIOCGDLTLIST,
  BIOCGETIF,
  BIOCGFEEDBACK,
  BIOCGHDRCMPLT,
  BIOCGRTIMEOUT,
  BIOCGSEESENT,
  BIOCGSTATS,
  BIOCIMMEDIATE,
  BIOCLOCK,
  BIOCPROMISC,
  BIOCSBLEN,
  BIOCSDLT,
  BIOCSETF,
  BIOCSETIF,
  BIOCSETWF,
  BIOCSFEEDBACK,
  BIOCSHDRCMPLT,
  BIOCSRTIMEOUT,
  BIOCSSEESENT,
  BIOCVERSION,
  bpf_dltlist_abi,
  bpf_program_abi,
  bpf_uint,
} from "../../../kernel-components/net/bpf_abi.ts";
import { if_detach } from "../../../kernel-components/net/if_attach.ts";
import { ifr_name, ifreq, ifreq_flags, SIOCSIFFLAGS } from "../../../kernel-components/net/if_abi.ts";
import { IFF_PROMISC } from "../../../kernel-components/net/if_flags.ts";
import {
  BPF_ABS,
  BPF_ALU,
  BPF_DIV,
  BPF_H,
  BPF_JEQ,
  BPF_JMP,
  BPF_JUMP,
  BPF_K,
  BPF_LD,
  BPF_RET,
  BPF_STMT,
} from "../../../kernel-components/wire/bpf_insn.ts";
import { AF_INET } from "../../../kernel-components/wire/sockaddr.ts";
import { BCAST, bpf_fd, type Fd, frame, NetWorld, PEER } from "./net_world.ts";

const BLEN = 4096;

/** A descriptor on tst0 with a buffer of BLEN bytes. */
function opened(w: NetWorld, immediate = true, blen = BLEN): Fd {
  const b = bpf_fd(w);
  expect(b.ioctl(BIOCSBLEN, bpf_uint(blen))).to.equal(0);
  expect(b.ioctl(BIOCSETIF, ifreq("tst0"))).to.equal(0);
  if (immediate) expect(b.ioctl(BIOCIMMEDIATE, bpf_uint(1))).to.equal(0);
  return b;
}

/** The packets in a buffer: caplen, datalen, bytes. */
function records(buf: Uint8Array | number): { caplen: number; datalen: number; bytes: Uint8Array }[] {
  if (typeof buf === "number") throw new Error(`read gave errno ${-buf}`);
  const dv = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
  const out = [];
  for (let at = 0; at < buf.length; ) {
    const caplen = dv.getUint32(at + 16, true);
    const hdrlen = dv.getUint16(at + 24, true);
    out.push({ caplen, datalen: dv.getUint32(at + 20, true), bytes: buf.slice(at + hdrlen, at + hdrlen + caplen) });
    at = (at + hdrlen + caplen + 7) & ~7;
  }
  return out;
}

function get(b: Fd, cmd: number): number {
  const d = bpf_uint(0);
  expect(b.ioctl(cmd, d)).to.equal(0);
  return new DataView(d.buffer).getUint32(0, true);
}

function stats(b: Fd): number[] {
  const d = new Uint8Array(128);
  expect(b.ioctl(BIOCGSTATS, d)).to.equal(0);
  return [0, 8, 16].map((n) => new DataView(d.buffer).getUint32(n, true));
}

/** Ethertype 0x0800 only, 20 bytes of it. */
const FILTER = [
  ...BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
  ...BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0800, 0, 1),
  ...BPF_STMT(BPF_RET | BPF_K, 20),
  ...BPF_STMT(BPF_RET | BPF_K, 0),
];

describe("bpf", () => {
  it("BIOCSBLEN is clamped, and fixed once there is an interface (bpf_ioctl_BLEN)", () => {
    const w = new NetWorld();
    w.ether();
    const b = bpf_fd(w);
    const ask = (v: number): number => {
      const d = bpf_uint(v);
      expect(b.ioctl(BIOCSBLEN, d)).to.equal(0);
      expect(get(b, BIOCGBLEN)).to.equal(new DataView(d.buffer).getUint32(0, true));
      return get(b, BIOCGBLEN);
    };
    expect([get(b, BIOCGBLEN), ask(0), ask(1), ask(0xffffffff), ask(5000)]).to.deep.equal([
      32768, 32, 32, 1048576, 5000,
    ]);
    expect(b.ioctl(BIOCSETIF, ifreq("tst0"))).to.equal(0);
    expect(b.ioctl(BIOCSBLEN, bpf_uint(100))).to.equal(EINVAL);
    b.close();
    w.end();
  });

  it("BIOCSETIF wants an interface there is; what needs one is EINVAL before (bpf_ioctl_SETIF, _DLT, _GDLTLIST, _PROMISC)", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    const b = bpf_fd(w);
    for (const cmd of [BIOCPROMISC, BIOCGDLT, BIOCSDLT]) expect(b.ioctl(cmd, bpf_uint(1))).to.equal(EINVAL);
    expect([b.ioctl(BIOCGETIF, ifreq("")), b.ioctl(BIOCGDLTLIST, bpf_dltlist_abi(0)), b.read(32768)]).to.deep.equal([
      EINVAL,
      EINVAL,
      -ENXIO,
    ]);
    const long = ifreq("");
    long.fill(0x78, 0, 16);
    expect([
      b.ioctl(BIOCSETIF, long),
      b.ioctl(BIOCSETIF, ifreq("tst1")),
      b.ioctl(BIOCSETIF, ifreq("lo0")),
    ]).to.deep.equal([ENXIO, ENXIO, 0]);
    expect([get(b, BIOCGDLT), b.ioctl(BIOCSETIF, ifreq("tst0")), get(b, BIOCGDLT)]).to.deep.equal([0, 0, 1]);
    const name = ifreq("");
    expect([b.ioctl(BIOCGETIF, name), ifr_name(name)]).to.deep.equal([0, "tst0"]);
    expect([b.ioctl(BIOCSDLT, bpf_uint(1)), b.ioctl(BIOCSDLT, bpf_uint(12))]).to.deep.equal([0, EINVAL]);
    const count = bpf_dltlist_abi(0);
    expect([b.ioctl(BIOCGDLTLIST, count), count[0]]).to.deep.equal([0, 1]);
    const list = bpf_dltlist_abi(3);
    expect([b.ioctl(BIOCGDLTLIST, list), list[0], list[16]]).to.deep.equal([0, 1, 1]);
    const none = bpf_dltlist_abi(1);
    none[0] = 0;
    expect(b.ioctl(BIOCGDLTLIST, none)).to.equal(ENOMEM);
    expect([
      b.ioctl(BIOCPROMISC, bpf_uint(0)),
      b.ioctl(BIOCPROMISC, bpf_uint(0)),
      e.ifp.if_pcount,
      e.ifp.if_flags & IFF_PROMISC,
    ]).to.deep.equal([0, 0, 1, IFF_PROMISC]);
    b.close();
    expect([e.ifp.if_pcount, e.ifp.if_flags & IFF_PROMISC, e.ifp.if_bpf]).to.deep.equal([0, 0, null]);
    w.end();
  });

  it("answers the other ioctls, and locks", () => {
    const w = new NetWorld();
    w.ether();
    const b = bpf_fd(w);
    expect([get(b, BIOCVERSION), get(b, BIOCGSEESENT), get(b, BIOCGHDRCMPLT), get(b, BIOCGFEEDBACK)]).to.deep.equal([
      0x10001, 1, 0, 0,
    ]);
    for (const [set, ask] of [
      [BIOCSSEESENT, BIOCGSEESENT],
      [BIOCSHDRCMPLT, BIOCGHDRCMPLT],
      [BIOCSFEEDBACK, BIOCGFEEDBACK],
    ] as const) {
      b.ioctl(set, bpf_uint(1));
      expect(get(b, ask)).to.equal(1);
      b.ioctl(set, bpf_uint(0));
      expect(get(b, ask)).to.equal(0);
    }
    const tv = new Uint8Array(16);
    tv[0] = 2;
    tv[8] = 200;
    const back = new Uint8Array(16);
    expect([b.ioctl(BIOCSRTIMEOUT, tv), b.ioctl(BIOCGRTIMEOUT, back)]).to.deep.equal([0, 0]);
    expect(back).to.deep.equal(tv);
    tv.fill(0xff);
    expect([
      b.ioctl(BIOCSRTIMEOUT, tv),
      b.ioctl(0x20004242, bpf_uint(0)),
      b.ioctl(BIOCSETF, new Uint8Array(3)),
    ]).to.deep.equal([EINVAL, ENOTTY, EFAULT]);
    expect(b.ioctl(BIOCLOCK, bpf_uint(0))).to.equal(0);
    expect([
      b.ioctl(BIOCSETIF, ifreq("tst0")),
      b.ioctl(BIOCSETF, bpf_program_abi(FILTER)),
      get(b, BIOCGBLEN),
    ]).to.deep.equal([EPERM, EPERM, 32768]);
    b.close();
    expect(w.in_kernel(() => sys_open(w.nobody, "/dev/bpf", O_RDWR, new RetVal()))).to.equal(EPERM);
    w.end();
  });

  it("refuses a filter that the machine would not run (div_by_zero)", () => {
    const w = new NetWorld();
    w.ether();
    const b = opened(w);
    const zero = [...BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ...BPF_STMT(BPF_RET | BPF_K, 1)];
    const lying = bpf_program_abi(FILTER);
    lying[0] = 200;
    const huge = bpf_program_abi(FILTER);
    new DataView(huge.buffer).setUint32(0, 0xffffffff, true);
    expect([b.ioctl(BIOCSETF, bpf_program_abi(zero)), b.ioctl(BIOCSETF, lying), b.ioctl(BIOCSETF, huge)]).to.deep.equal(
      [EINVAL, EFAULT, EINVAL],
    );
    expect([b.ioctl(BIOCSETF, bpf_program_abi(FILTER)), b.ioctl(BIOCSETF, bpf_program_abi([]))]).to.deep.equal([0, 0]);
    b.close();
    w.end();
  });

  it("shows what the filter wants of what it wants, both directions, also from chains", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    w.fake_inet();
    const b = opened(w);
    b.ioctl(BIOCSETF, bpf_program_abi(FILTER));
    const f = frame(
      BCAST,
      PEER,
      0x0800,
      Uint8Array.from({ length: 400 }, (_, i) => i),
    );
    e.rx(f);
    e.rx(frame(BCAST, PEER, 0x0806));
    w.in_kernel(() => {
      const m = m_devget(w.t.k.mb, f.subarray(14, 20), 14, null) as Mbuf;
      m.m_next = m_devget(w.t.k.mb, f.subarray(20), 0, null);
      m.m_pkthdr_len = 400;
      e.ifp.if_output(e.ifp, m, AF_INET, 5, null);
    });
    const got = records(b.read(BLEN));
    expect(got.map((r) => [r.caplen, r.datalen])).to.deep.equal([
      [20, 414],
      [20, 414],
    ]);
    expect(got[0]?.bytes).to.deep.equal(f.slice(0, 20));
    expect(got[1]?.bytes.slice(12)).to.deep.equal(f.slice(12, 20));
    expect(stats(b)).to.deep.equal([3, 0, 2]);
    b.ioctl(BIOCSSEESENT, bpf_uint(0));
    w.in_kernel(() => e.ifp.if_output(e.ifp, m_devget(w.t.k.mb, f, 14, null) as Mbuf, AF_INET, 5, null));
    expect([b.read(BLEN), stats(b)[0]]).to.deep.equal([-EWOULDBLOCK, 3]);
    b.ioctl(BIOCFLUSH, bpf_uint(0));
    expect(stats(b)).to.deep.equal([0, 0, 0]);
    b.close();
    w.end();
  });

  it("drops what has no room and counts it; full buffers become readable without being immediate", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    const b = opened(w, false, 256);
    expect(b.read(255), "a read takes whole buffers").to.equal(-EINVAL);
    for (let n = 0; n < 10; n++) e.rx(frame(BCAST, PEER, 0x0800, new Uint8Array(50).fill(n)));
    expect(stats(b)).to.deep.equal([10, 6, 10]);
    expect(records(b.read(256)).map((r) => r.bytes[14])).to.deep.equal([0, 1]);
    expect(records(b.read(256)).map((r) => r.bytes[14])).to.deep.equal([2, 3]);
    expect(b.read(256)).to.equal(-EWOULDBLOCK);
    const sysctl = (name: string): DataView => {
      const len = new SysctlLen(1000);
      const out = new Uint8Array(1000);
      expect(w.t.k.sysctl.sysctlbyname(name, out, len, null, w.root)).to.equal(0);
      return new DataView(out.buffer, 0, len.len);
    };
    expect([0, 8, 16].map((at) => sysctl("net.bpf.stats").getUint32(at, true))).to.deep.equal([10, 6, 10]);
    const peers = sysctl("net.bpf.peers");
    expect([
      peers.byteLength,
      peers.getInt32(0, true),
      peers.getUint32(24, true),
      peers.getUint32(32, true),
    ]).to.deep.equal([64, 256, 10, 6]);
    expect(peers.getUint32(48, false)).to.equal(0x74737430);
    expect(w.t.k.sysctl.sysctlbyname("net.bpf.maxbufsize", null, new SysctlLen(0), bpf_uint(4096), w.root)).to.equal(0);
    const c = bpf_fd(w);
    const blen = bpf_uint(65536);
    expect([c.ioctl(BIOCSBLEN, blen), new DataView(blen.buffer).getUint32(0, true)]).to.deep.equal([0, 4096]);
    c.close();
    b.close();
    w.end();
  });

  it("blocks until there is something, wakes, and gives what there is when the timeout passes", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    const b = bpf_fd(w, false);
    b.ioctl(BIOCSETIF, ifreq("tst0"));
    expect(b.read(32768)).to.equal(-EWAIT);
    const tv = new Uint8Array(16);
    tv[0] = 1;
    b.ioctl(BIOCSRTIMEOUT, tv);
    const p = new Pollfd(b.fd, POLLIN);
    let woken = 0;
    const rv = new RetVal();
    const poll = (): number => w.in_kernel(() => sys_poll(w.root, [p], -1, rv));
    w.root.l_wakeup = () => woken++;
    expect([poll(), woken]).to.deep.equal([EWAIT, 0]);
    e.rx(frame(BCAST, PEER, 0x0800));
    expect(woken, "not immediate: waits for the timeout").to.equal(0);
    w.t.run(1.1e9);
    expect([woken, poll(), p.revents]).to.deep.equal([1, 0, POLLIN]);
    expect(records(b.read(32768)).length).to.equal(1);
    b.close();
    w.end();
  });

  it("writes frames, with our source address or the given one, and fed back if asked (bpfwritetrunc, bpfwriteleak)", () => {
    const w = new NetWorld();
    const e = w.ether();
    w.receive(0x0800);
    const b = opened(w);
    const f = frame(BCAST, PEER, 0x0800);
    expect(b.write(f)).to.equal(ENETDOWN);
    w.ioctl(SIOCSIFFLAGS, ifreq_flags("tst0", 1));
    expect([b.write(new Uint8Array(13)), b.write(new Uint8Array(1515)), b.write(new Uint8Array(0))]).to.deep.equal([
      EMSGSIZE,
      EMSGSIZE,
      0,
    ]);
    expect([b.write(f), b.ioctl(BIOCSHDRCMPLT, bpf_uint(1)), b.write(f)]).to.deep.equal([0, 0, 0]);
    expect(e.sent).to.deep.equal([frame(BCAST, [...e.ifp.if_lladdr], 0x0800), f]);
    expect(w.got.length, "a frame that is written is not received").to.equal(0);
    b.ioctl(BIOCSFEEDBACK, bpf_uint(1));
    expect([b.write(f), w.got.length, w.got[0]?.flags === undefined ? 0 : w.got[0].flags & M_BCAST]).to.deep.equal([
      0,
      1,
      M_BCAST,
    ]);
    b.ioctl(BIOCSETWF, bpf_program_abi(FILTER));
    expect([b.write(frame(BCAST, PEER, 0x0806)), b.write(f), e.sent.length]).to.deep.equal([EPERM, 0, 4]);
    b.close();
    w.end();
  });

  it("wakes its reader with ENXIO when the interface goes", () => {
    const w = new NetWorld();
    const e = w.ether().up();
    const b = opened(w);
    let woken = 0;
    const p = new Pollfd(b.fd, POLLIN);
    w.root.l_wakeup = () => woken++;
    expect(w.in_kernel(() => sys_poll(w.root, [p], -1, new RetVal()))).to.equal(EWAIT);
    w.in_kernel(() => if_detach(e.ifp));
    expect([woken, b.read(BLEN), b.write(new Uint8Array(60))]).to.deep.equal([1, -ENXIO, ENXIO]);
    b.close();
    w.end();
  });
});
