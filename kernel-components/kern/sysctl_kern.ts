// kern.* and hw.*: what the base kernel tells of itself.
import { Timespec } from "../../hypercall/api/clock.ts";
import { EINVAL, ENOENT } from "../../hypercall/api/errno.ts";
import type { EvcntGroup } from "./evcnt.ts";
import type { Kernel } from "./kernel.ts";
import { NOFILE_MAX } from "./proc.ts";
import { MAXPROC } from "./proc_table.ts";
import { IOV_MAX } from "./sys_generic.ts";
import { sysctl_copyout } from "./sysctl_bytes.ts";
import type { SysctlTree } from "./sysctl.ts";
import * as mib from "./sysctl_mib.ts";

/** kern.ostype. */
export const OSTYPE = "rumpkit";
/** kern.osrelease. */
export const OSRELEASE = "0.1.0";
/** kern.osrevision: two digits for each part of the release. */
export const OSREVISION = 100;
/** kern.version. */
export const VERSION: string = `${OSTYPE} ${OSRELEASE} (RUMP)`;
/** Longest host name. */
const MAXHOSTNAMELEN = 256;
/** hw.pagesize. */
const PAGE_SIZE = 4096;
/** Ticks of a second, as programs see them (kern.clockrate). */
const HZ = 100;
/** Most bytes of one kern.arandom. */
const ARND_MAX = 256;
/** kern.evcnt.x.y: list counters that are not zero only. */
const EVCNT_COUNT_NONZERO = 1;
/** Bytes of struct evcnt_sysctl before its strings: count, address, parent (8 bytes each), type, three lengths. */
export const EVCNT_HDR = 28;

/** Make the nodes. */
export function sysctl_kern_fill(k: Kernel, tree: SysctlTree, ncpu: number): void {
  tree.addString("kern.ostype", { num: mib.KERN_OSTYPE, desc: "Operating system type", get: () => OSTYPE });
  tree.addString("kern.osrelease", { num: mib.KERN_OSRELEASE, desc: "Operating system release", get: () => OSRELEASE });
  tree.addInt("kern.osrevision", { num: mib.KERN_OSREV, desc: "Operating system revision", get: () => OSREVISION });
  tree.addString("kern.version", { num: mib.KERN_VERSION, desc: "Kernel version", get: () => VERSION });
  tree.addInt("kern.maxproc", {
    num: mib.KERN_MAXPROC,
    desc: "Maximum number of simultaneous processes",
    get: () => MAXPROC,
  });
  tree.addInt("kern.maxfiles", {
    num: mib.KERN_MAXFILES,
    desc: "Largest limit of a process's open files",
    get: () => NOFILE_MAX,
  });
  tree.addInt("kern.iov_max", {
    num: mib.KERN_IOV_MAX,
    desc: "Maximum number of buffers of readv and writev",
    get: () => IOV_MAX,
  });
  tree.addInt("kern.monotonic_clock", {
    num: mib.KERN_MONOTONIC_CLOCK,
    desc: "Implementation version of POSIX monotonic clock",
    get: () => 200112,
  });
  fill_names(k, tree);
  fill_values(k, tree);
  fill_hw(k, tree, ncpu);
}

function fill_names(k: Kernel, tree: SysctlTree): void {
  tree.addString("kern.hostname", {
    num: mib.KERN_HOSTNAME,
    desc: "System hostname",
    max: MAXHOSTNAMELEN - 1,
    get: () => k.hostname,
    set: (name) => {
      k.hostname = name;
      return 0;
    },
  });
  tree.addString("kern.domainname", {
    num: mib.KERN_DOMAINNAME,
    desc: "YP domain name",
    max: MAXHOSTNAMELEN - 1,
    get: () => k.domainname,
    set: (name) => {
      k.domainname = name;
      return 0;
    },
  });
}

function fill_values(k: Kernel, tree: SysctlTree): void {
  let hostid = 0;
  tree.addInt("kern.hostid", {
    num: mib.KERN_HOSTID,
    desc: "System host ID number",
    get: () => hostid,
    set: (v) => {
      hostid = v;
      return 0;
    },
  });
  tree.addStruct("kern.clockrate", { num: mib.KERN_CLOCKRATE, desc: "Kernel clock rates", get: clockrate });
  tree.addStruct("kern.boottime", { num: mib.KERN_BOOTTIME, desc: "System boot time", get: () => boottime(k) });
  tree.addInt("kern.msgbufsize", {
    num: mib.KERN_MSGBUFSIZE,
    desc: "Size of the kernel message buffer",
    get: () => k.cons.msgbufsize,
  });
  tree.addStruct("kern.msgbuf", { num: mib.KERN_MSGBUF, desc: "Kernel message buffer", get: () => k.cons.msgbuf() });
  tree.addInt("kern.urandom", { num: mib.KERN_URND, desc: "Random integer value", get: () => k.random32() | 0 });
  tree.addHandler(
    "kern.arandom",
    "Random bytes, as many as asked for",
    (rest, oldp, oldlenp, newp) => {
      if (rest.length !== 0 || newp !== null || oldp === null || oldlenp.len > ARND_MAX) return EINVAL;
      const out = new Uint8Array(Math.min(oldlenp.len, oldp.length));
      k.random_bytes(out);
      return sysctl_copyout(out, oldp, oldlenp);
    },
    mib.KERN_ARND,
  );
  tree.addHandler(
    "kern.evcnt",
    "Event counters",
    (rest, oldp, oldlenp, newp) => {
      if (rest.length !== 2) return ENOENT;
      if (newp !== null) return EINVAL;
      return sysctl_copyout(evcnt_bytes(k.evcnts.list(), rest[1] === EVCNT_COUNT_NONZERO), oldp, oldlenp);
    },
    mib.KERN_EVCNT,
  );
  tree.addNode("kern.callout", "Callouts");
  tree.addQuad("kern.callout.pending", { desc: "Callouts that are pending", get: () => k.callouts.pending });
  tree.addQuad("kern.callout.fired", { desc: "Callouts that have run", get: () => k.callouts.fired });
  tree.addQuad("kern.softint_runs", { desc: "Software interrupts that have run", get: () => k.softints.runs });
}

function fill_hw(k: Kernel, tree: SysctlTree, ncpu: number): void {
  const bytes = k.u8.length;
  tree.addString("hw.machine", { num: mib.HW_MACHINE, desc: "Machine class", get: () => "rump" });
  tree.addString("hw.machine_arch", { num: mib.HW_MACHINE_ARCH, desc: "Machine CPU class", get: () => "javascript" });
  tree.addString("hw.model", { num: mib.HW_MODEL, desc: "Machine model", get: () => `rumpkit on host ${k.host.name}` });
  tree.addInt("hw.ncpu", { num: mib.HW_NCPU, desc: "Number of CPUs configured", get: () => ncpu });
  tree.addInt("hw.ncpuonline", { num: mib.HW_NCPUONLINE, desc: "Number of CPUs online", get: () => ncpu });
  tree.addInt("hw.byteorder", { num: mib.HW_BYTEORDER, desc: "System byte order", get: () => 1234 });
  tree.addInt("hw.physmem", {
    num: mib.HW_PHYSMEM,
    desc: "Bytes of the slab, at most 2^31 - 1",
    get: () => Math.min(bytes, 2 ** 31 - 1),
  });
  tree.addQuad("hw.physmem64", { num: mib.HW_PHYSMEM64, desc: "Bytes of the slab", get: () => bytes });
  tree.addInt("hw.pagesize", { num: mib.HW_PAGESIZE, desc: "Software page size", get: () => PAGE_SIZE });
}

/** struct clockinfo: hz, tick (us), tickadj, stathz, profhz. The kernel has no tick: these are for programs that reckon in ticks. */
function clockrate(): Uint8Array {
  const out = new Uint8Array(20);
  const dv = new DataView(out.buffer);
  [HZ, 1e6 / HZ, 0, HZ, HZ].forEach((v, i) => dv.setInt32(4 * i, v, true));
  return out;
}

/** struct timespec of the boot: two quads. */
function boottime(k: Kernel): Uint8Array {
  const ts = new Timespec();
  k.wall(ts);
  const up = k.now_ns - k.boot_ns;
  let sec = ts.sec - Math.floor(up / 1e9);
  let nsec = ts.nsec - Math.floor(up % 1e9);
  if (nsec < 0) {
    nsec += 1e9;
    sec--;
  }
  const out = new Uint8Array(16);
  const dv = new DataView(out.buffer);
  dv.setBigInt64(0, BigInt(sec), true);
  dv.setBigInt64(8, BigInt(nsec), true);
  return out;
}

/** The counters as struct evcnt_sysctl, one behind the other. */
function evcnt_bytes(groups: readonly EvcntGroup[], nonzero: boolean): Uint8Array {
  const out: number[] = [];
  for (const g of groups) {
    for (let i = 0; i < g.ev_names.length; i++) {
      if (nonzero && g.ev_block[i] === 0) continue;
      evcnt_one(out, g.ev_group, g.ev_names[i], g.ev_block[i]);
    }
  }
  return new Uint8Array(out);
}

function evcnt_one(out: number[], group: string, name: string, count: number): void {
  const len = Math.ceil((EVCNT_HDR + group.length + 1 + name.length + 1) / 8) * 8;
  const one = new Uint8Array(len);
  const dv = new DataView(one.buffer);
  dv.setBigUint64(0, BigInt(Math.trunc(count)), true);
  one[25] = group.length;
  one[26] = name.length;
  one[27] = len / 8;
  for (let i = 0; i < group.length; i++) one[EVCNT_HDR + i] = group.charCodeAt(i);
  for (let i = 0; i < name.length; i++) one[EVCNT_HDR + group.length + 1 + i] = name.charCodeAt(i);
  for (const b of one) out.push(b);
}
