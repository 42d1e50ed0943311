// The sysctl tree: names and numbers, every type, every error of sysctl(3), queries.
import { expect } from "chai";
import { EINVAL, EISDIR, ENOENT, ENOMEM, ENOTDIR, EOPNOTSUPP, EPERM } from "../../../hypercall/api/errno.ts";
import { printf } from "../../../kernel-components/kern/console.ts";
import { evcnt_attach, evcnt_detach } from "../../../kernel-components/kern/evcnt.ts";
import { Ucred } from "../../../kernel-components/kern/proc.ts";
import type { Lwp, Proc } from "../../../kernel-components/kern/proc.ts";
import {
  bytes_to_number,
  bytes_to_string,
  number_to_bytes,
  string_to_bytes,
  SysctlLen,
} from "../../../kernel-components/kern/sysctl_bytes.ts";
import { EVCNT_HDR } from "../../../kernel-components/kern/sysctl_kern.ts";
import { CTL_DESCRIBE, CTL_KERN, CTL_QUERY, KERN_HOSTNAME } from "../../../kernel-components/kern/sysctl_mib.ts";
import {
  SYSCTLDESC_HDR,
  SYSCTLNODE_NAME,
  SYSCTLNODE_NUM,
  SYSCTLNODE_SIZE,
} from "../../../kernel-components/kern/sysctl_query.ts";
import { bootKernel } from "../../support/kernel.ts";
import type { TestKernel } from "../../support/kernel.ts";

describe("sysctl", () => {
  let t: TestKernel;
  let root: Lwp;
  let user: Lwp;
  beforeEach(() => {
    t = bootKernel();
    root = t.k.procs.lwp_create(t.k.procs.proc_create("root", new Ucred(0, 0)) as Proc);
    user = t.k.procs.lwp_create(t.k.procs.proc_create("user", new Ucred(1000, 100)) as Proc);
  });
  afterEach(() => t.end());

  const read = (name: string): Uint8Array => {
    const size = new SysctlLen(0);
    expect(t.k.sysctl.sysctlbyname(name, null, size, null, user), name).to.equal(0);
    const bytes = new Uint8Array(size.len);
    expect(t.k.sysctl.sysctlbyname(name, bytes, size, null, user), name).to.equal(0);
    return bytes;
  };
  const write = (name: string, value: Uint8Array, l: Lwp = root): number =>
    t.k.sysctl.sysctlbyname(name, null, new SysctlLen(0), value, l);

  it("has NetBSD's names with NetBSD's numbers", () => {
    const names: [string, number[]][] = [
      ["kern.ostype", [1, 1]],
      ["kern.osrelease", [1, 2]],
      ["kern.hostname", [1, 10]],
      ["kern.mbuf.nmbclusters", [1, 39, 3]],
      ["kern.hostid", [1, 11]],
      ["kern.clockrate", [1, 12]],
      ["kern.boottime", [1, 83]],
      ["hw.ncpu", [6, 3]],
      ["hw.pagesize", [6, 7]],
    ];
    for (const [name, mib] of names) {
      expect(t.k.sysctl.sysctlnametomib(name), name).to.deep.equal(mib);
      expect(t.k.sysctl.byMib(mib)?.path()).to.equal(name);
    }
    expect(bytes_to_number(read("hw.ncpu"))).to.equal(1);
    expect(bytes_to_number(read("kern.mbuf.mclbytes"))).to.equal(2048);
    expect(read("kern.boottime")).to.have.length(16);
    expect([...new Int32Array(read("kern.clockrate").buffer)]).to.deep.equal([100, 10_000, 0, 100, 100]);
    expect(write("kern.hostid", Uint8Array.of(1, 2, 3, 0x84))).to.equal(0);
    expect([...read("kern.hostid")]).to.deep.equal([1, 2, 3, 0x84]);
  });

  it("every node has a description", () => {
    for (const node of t.k.sysctl.list()) expect(node.sysctl_desc, node.path()).to.not.equal("");
  });

  it("reads and writes strings, ints, quads, bools and structures", () => {
    let int = 5;
    let quad = 2 ** 40;
    let bool = 0;
    let struct = new Uint8Array([1, 2, 3]);
    const tree = t.k.sysctl;
    tree.addInt("net.test.int", { desc: "d", get: () => int, set: (v) => ((int = v), 0) });
    tree.addQuad("net.test.quad", { desc: "d", get: () => quad, set: (v) => ((quad = v), 0) });
    tree.addBool("net.test.bool", { desc: "d", get: () => bool, set: (v) => ((bool = v), 0) });
    tree.addStruct("net.test.struct", {
      desc: "d",
      get: () => struct,
      set: (v) => (v.length === 3 ? ((struct = v.slice()), 0) : EINVAL),
    });
    expect(write("net.test.int", number_to_bytes(-7, 4))).to.equal(0);
    expect(write("net.test.quad", number_to_bytes(-(2 ** 50), 8))).to.equal(0);
    expect(write("net.test.bool", number_to_bytes(1, 1))).to.equal(0);
    expect(write("net.test.struct", new Uint8Array([9, 8, 7]))).to.equal(0);
    expect(write("kern.hostname", string_to_bytes("router"))).to.equal(0);
    expect([int, quad, bool, [...struct], t.k.hostname]).to.deep.equal([-7, -(2 ** 50), 1, [9, 8, 7], "router"]);
    expect(bytes_to_string(read("kern.hostname"))).to.equal("router");
    expect(bytes_to_number(read("net.test.quad"))).to.equal(-(2 ** 50));
    expect(tree.remove("net.test")).to.equal(true);
    expect(tree.byName("net.test.int")).to.equal(null);
  });

  it("gives the errors of sysctl(3)", () => {
    let ttl = 64;
    t.k.sysctl.addInt("net.test.ttl", { desc: "d", min: 1, max: 255, get: () => ttl, set: (v) => ((ttl = v), 0) });
    const one = new SysctlLen(4);
    expect(t.k.sysctl.sysctlbyname("net.nothing", null, one, null, root)).to.equal(ENOENT);
    expect(t.k.sysctl.sysctl([CTL_KERN, 9999], null, one, null, root)).to.equal(ENOENT);
    expect(t.k.sysctl.sysctl([CTL_KERN, KERN_HOSTNAME, 1], null, one, null, root)).to.equal(ENOTDIR);
    expect(t.k.sysctl.sysctl([CTL_KERN], null, one, null, root)).to.equal(EISDIR);
    expect(t.k.sysctl.sysctl([], null, one, null, root)).to.equal(EINVAL);
    expect(t.k.sysctl.sysctl(new Array<number>(13).fill(1), null, one, null, root)).to.equal(EINVAL);
    expect(write("kern.ostype", string_to_bytes("x"))).to.equal(EPERM);
    expect(write("net.test.ttl", number_to_bytes(9, 4), user)).to.equal(EPERM);
    expect(write("net.test.ttl", number_to_bytes(9, 8))).to.equal(EINVAL);
    expect(write("net.test.ttl", number_to_bytes(256, 4))).to.equal(EINVAL);
    expect(write("net.test.ttl", number_to_bytes(0, 4))).to.equal(EINVAL);
    expect(write("kern.hostname", string_to_bytes("x".repeat(256)))).to.equal(EINVAL);
    expect(ttl).to.equal(64);
  });

  it("a short buffer gets what fits, the whole length and ENOMEM, and then nothing is set", () => {
    let v = 1;
    t.k.sysctl.addInt("net.test.v", { desc: "d", get: () => v, set: (n) => ((v = n), 0) });
    const len = new SysctlLen(2);
    const old = new Uint8Array(2);
    expect(t.k.sysctl.sysctlbyname("net.test.v", old, len, number_to_bytes(7, 4), root)).to.equal(ENOMEM);
    expect([len.len, old[0], v]).to.deep.equal([4, 1, 1]);
  });

  it("refuses an impossible length", () => {
    for (const len of [-1, -4096, Number.NaN])
      expect(t.k.sysctl.sysctl([CTL_KERN, KERN_HOSTNAME], new Uint8Array(2), new SysctlLen(len), null, root)).to.equal(
        EINVAL,
      );
  });

  it("limits of the mbuf pools can be raised only", () => {
    const now = bytes_to_number(read("kern.mbuf.nmbclusters"));
    expect(write("kern.mbuf.nmbclusters", number_to_bytes(now - 1, 4))).to.equal(EINVAL);
    expect(write("kern.mbuf.nmbclusters", number_to_bytes(now + 1, 4))).to.equal(0);
    expect(t.k.mb.mem.nmbclusters).to.equal(now + 1);
  });

  it("a handler answers for its whole subtree", () => {
    t.k.sysctl.addHandler(
      "net.route",
      "Routes",
      (rest, _old, len) => {
        len.len = rest.length;
        return rest[0] === 7 ? 0 : EINVAL;
      },
      17,
    );
    const len = new SysctlLen(0);
    expect(t.k.sysctl.sysctl([4, 17, 7, 0, 1, 0], null, len, null, user)).to.equal(0);
    expect(len.len).to.equal(4);
    expect(t.k.sysctl.sysctl([4, 17], null, len, null, user)).to.equal(EINVAL);
  });

  it("CTL_QUERY lists nodes and CTL_DESCRIBE describes them", () => {
    const len = new SysctlLen(100_000);
    const nodes = new Uint8Array(len.len);
    expect(t.k.sysctl.sysctl([6, CTL_QUERY], nodes, len, null, user)).to.equal(0);
    const found = new Map<string, number>();
    for (let at = 0; at < len.len; at += SYSCTLNODE_SIZE) {
      found.set(
        bytes_to_string(nodes.subarray(at + SYSCTLNODE_NAME)),
        bytes_to_number(nodes.subarray(at + SYSCTLNODE_NUM, at + SYSCTLNODE_NUM + 4)),
      );
    }
    expect([found.get("ncpu"), found.get("machine")]).to.deep.equal([3, 1]);
    len.len = nodes.length;
    expect(t.k.sysctl.sysctl([6, CTL_DESCRIBE], nodes, len, null, user)).to.equal(0);
    expect([bytes_to_number(nodes.subarray(0, 4)), bytes_to_string(nodes.subarray(SYSCTLDESC_HDR))]).to.deep.equal([
      1,
      "Machine class",
    ]);
    expect(t.k.sysctl.sysctl([6, 3, CTL_QUERY], nodes, len, null, user)).to.equal(ENOTDIR);
    expect(t.k.sysctl.sysctl([6, -3], nodes, len, null, root)).to.equal(EOPNOTSUPP);
  });

  it("kern.msgbuf holds what was printed, the newest if not all", () => {
    printf(t.k, "gruß €\n");
    expect(Buffer.from(read("kern.msgbuf")).toString()).to.contain("gruß €\n");
    const small = bootKernel([], { msgbufsize: 64 });
    for (let i = 0; i < 50; i++) printf(small.k, `line ${i}\n`);
    const text = Buffer.from(small.k.cons.msgbuf()).toString();
    expect([text.length, text.endsWith("line 48\nline 49\n"), small.k.cons.lost > 0]).to.deep.equal([64, true, true]);
    small.end();
  });

  it("kern.evcnt lists counters, kern.arandom gives as many bytes as asked for", () => {
    const block = new Float64Array([0, 12]);
    evcnt_attach(t.k, "virt0", ["drops", "frames"], block);
    const all = new SysctlLen(65_536);
    const bytes = new Uint8Array(all.len);
    expect(t.k.sysctl.sysctlbyname("kern.evcnt", bytes, all, null, user)).to.equal(ENOENT);
    expect(t.k.sysctl.sysctl([1, 84, -1, 1], bytes, all, null, user)).to.equal(0);
    const text = Buffer.from(bytes.subarray(0, all.len)).toString("latin1");
    expect([text.includes("virt0\0frames\0"), text.includes("drops"), all.len % 8]).to.deep.equal([true, false, 0]);
    const at = text.indexOf("virt0\0frames\0") - EVCNT_HDR;
    expect(bytes_to_number(bytes.subarray(at, at + 8))).to.equal(12);
    evcnt_detach(t.k, block);
    const a = new Uint8Array(32);
    expect(t.k.sysctl.sysctl([1, 81], a, new SysctlLen(32), null, user)).to.equal(0);
    expect(new Set(a).size).to.be.greaterThan(8);
  });
});
