// Short programs that do hostile things to descriptors of the right kind.
import { SysctlLen } from "../../kernel-components/kern/sysctl_bytes.ts";
import { BIOCSETF, BIOCSETIF, BIOCSETWF, BIOCSHDRCMPLT, bpf_uint } from "../../kernel-components/net/bpf_abi.ts";
import { ifreq } from "../../kernel-components/net/if_abi.ts";
import { Msghdr } from "../../kernel-components/socket/uipc_syscalls_msg.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import * as sys from "../../rumpsys/rump_sys.ts";
import * as fdsys from "../../rumpsys/rump_sys_fd.ts";
import {
  hostile_cmsgs,
  hostile_filter,
  hostile_ioctl,
  hostile_ioctl_data,
  hostile_rtm,
  hostile_sockaddr,
} from "./control_maker.ts";
import { PacketMaker } from "./packet_maker.ts";
import type { Rng } from "./rng.ts";

const PF_LOCAL = 1;
const PF_INET = 2;
const PF_ROUTE = 34;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const O_RDWR = 2;
const BUF: Uint8Array = new Uint8Array(40_000);

/** Routing messages, one after the other, on a socket that reads its answers. */
function routing(rk: RumpKernel, r: Rng): void {
  const fd = sys.rump_sys_socket(rk, PF_ROUTE, SOCK_RAW, r.pick([0, 2, 18]));
  for (let n = 0; n < 6; n++) {
    const m = hostile_rtm(r);
    sys.rump_sys_write(rk, fd, m, m.length);
    if (r.one_in(4)) sys.rump_sys_read(rk, fd, BUF, r.below(400));
  }
  fdsys.rump_sys_close(rk, fd);
}

/** A filter, frames written, frames read. */
function filtering(rk: RumpKernel, r: Rng): void {
  const fd = fdsys.rump_sys_open(rk, "/dev/bpf", O_RDWR);
  fdsys.rump_sys_ioctl(rk, fd, BIOCSETIF, ifreq(r.pick(["virt0", "virt1", "ptp0", "lo0", "nope"])));
  for (let n = 0; n < 6; n++) {
    fdsys.rump_sys_ioctl(rk, fd, r.one_in(3) ? BIOCSETWF : BIOCSETF, hostile_filter(r));
    if (r.one_in(4)) fdsys.rump_sys_ioctl(rk, fd, BIOCSHDRCMPLT, bpf_uint(r.below(2)));
    if (r.one_in(2)) sys.rump_sys_write(rk, fd, r.bytes(r.one_in(8) ? r.below(70_000) : r.below(120)), 70_000);
    else sys.rump_sys_write(rk, fd, packet(r), 70_000);
    const cmd = hostile_ioctl(r);
    fdsys.rump_sys_ioctl(rk, fd, cmd, hostile_ioctl_data(r, cmd));
    sys.rump_sys_read(rk, fd, BUF, r.one_in(4) ? r.below(40_000) : 32_768);
  }
  fdsys.rump_sys_close(rk, fd);
}

/** A packet behind an Ethernet header, or bare. */
function packet(r: Rng): Uint8Array {
  const pm = new PacketMaker(r);
  const at = r.one_in(2) ? 14 : 0;
  if (at === 14) pm.b.set([2, 0, 0, 0, 0xee, 2, 2, 0, 0, 0, 0, 9, 8, 0]);
  return pm.b.slice(0, Math.min(pm.ip(at), 70_000));
}

/** ioctls on a socket of the family that knows them. */
function ioctls(rk: RumpKernel, r: Rng): void {
  const fd = sys.rump_sys_socket(rk, r.one_in(8) ? PF_LOCAL : PF_INET, SOCK_DGRAM, 0);
  for (let n = 0; n < 8; n++) {
    const cmd = hostile_ioctl(r);
    fdsys.rump_sys_ioctl(rk, fd, cmd, hostile_ioctl_data(r, cmd));
  }
  fdsys.rump_sys_close(rk, fd);
}

/** Options, control messages and addresses on an Internet socket. */
function inet_socket(rk: RumpKernel, r: Rng): void {
  const fd = sys.rump_sys_socket(
    rk,
    PF_INET,
    r.one_in(3) ? SOCK_RAW : SOCK_DGRAM,
    r.one_in(2) ? 0 : r.pick([1, 2, 17, 99]),
  );
  for (let n = 0; n < 8; n++) {
    sys.rump_sys_setsockopt(
      rk,
      fd,
      r.one_in(4) ? 0xffff : 0,
      r.below(40),
      r.one_in(2) ? hostile_mreq(r) : r.bytes(r.pick([0, 1, 4, 4, 8, 40, 44])),
    );
    const m = new Msghdr();
    m.msg_name = r.one_in(4) ? null : inet_sockaddr(r);
    m.msg_control = hostile_cmsgs(r);
    m.msg_controllen = m.msg_control.length;
    sys.rump_sys_sendmsg(rk, fd, [r.one_in(4) ? packet(r) : r.bytes(r.below(100))], m, 0);
    if (r.one_in(4)) sys.rump_sys_connect(rk, fd, inet_sockaddr(r));
    if (r.one_in(4)) sys.rump_sys_bind(rk, fd, inet_sockaddr(r));
    sys.rump_sys_getsockopt(rk, fd, 0, r.below(40), r.bytes(r.below(50)));
  }
  fdsys.rump_sys_close(rk, fd);
}

function inet_sockaddr(r: Rng): Uint8Array {
  if (r.one_in(4)) return hostile_sockaddr(r);
  const sa = new Uint8Array(16);
  const dv = new DataView(sa.buffer);
  sa.set([16, 2]);
  dv.setUint16(2, r.below(4000));
  dv.setInt32(4, r.pick([0, 0x7f000001, 0x0a000001, 0x0a000002, 0x0a0000ff, 0xe00000fb, 0xffffffff, 0x08080808]));
  return sa;
}

function hostile_mreq(r: Rng): Uint8Array {
  const b = new Uint8Array(8);
  const dv = new DataView(b.buffer);
  dv.setInt32(0, r.one_in(4) ? r.next() : 0xe0000000 | r.below(600));
  dv.setInt32(4, r.pick([0, 0x0a000001, 0x0a010001, 0x7f000001, r.below(8), r.next()]));
  return b;
}

/** Descriptors sent over descriptors, themselves too; half of them stay behind in the queue. */
function rights(rk: RumpKernel, r: Rng): void {
  const sv = [-1, -1];
  sys.rump_sys_socketpair(rk, PF_LOCAL, r.pick([1, 2, 5]), 0, sv);
  for (let n = 0; n < 6; n++) {
    const m = new Msghdr();
    m.msg_control = r.one_in(4) ? hostile_cmsgs(r) : rights_cmsg(r, sv);
    m.msg_controllen = m.msg_control.length;
    sys.rump_sys_sendmsg(rk, r.pick(sv), [r.bytes(r.below(50))], m, 0);
    if (r.one_in(2)) continue;
    const into = new Msghdr();
    into.msg_control = new Uint8Array(r.below(64));
    into.msg_controllen = into.msg_control.length;
    sys.rump_sys_recvmsg(rk, r.pick(sv), [new Uint8Array(r.below(60))], into, r.pick([0, 2, 0x800]));
  }
  for (const fd of sv) if (!r.one_in(8)) fdsys.rump_sys_close(rk, fd);
  // What was received is lost among the others: some of it goes.
  for (let n = 0; n < 8; n++) fdsys.rump_sys_close(rk, 30 + r.below(40));
}

function rights_cmsg(r: Rng, sv: readonly number[]): Uint8Array {
  const n = 1 + r.below(4);
  const b = new Uint8Array(16 + 8 * Math.ceil(n / 2));
  const dv = new DataView(b.buffer);
  dv.setInt32(0, 16 + 4 * n, true);
  dv.setInt32(4, 0xffff, true);
  dv.setInt32(8, 1, true);
  for (let i = 0; i < n; i++) dv.setInt32(16 + 4 * i, r.one_in(2) ? r.pick(sv) : r.below(40), true);
  return b;
}

/** Any value for any sysctl. */
function sysctls(rk: RumpKernel, r: Rng): void {
  const nodes = rk.k.sysctl.list();
  for (let n = 0; n < 4; n++) {
    const node = r.pick(nodes);
    const mib = [...node.mib()];
    if (r.one_in(8)) mib.push(r.wild());
    const old = r.one_in(4) ? null : new Uint8Array(r.pick([0, 4, 8, 100, 4000]));
    const limit = /mbuf|max|mcl/.test(node.path());
    const value =
      limit || r.one_in(4)
        ? null
        : r.one_in(2)
          ? r.bytes(r.pick([0, 1, 4, 8, 20]))
          : Uint8Array.of(r.below(4), 0, 0, 0);
    fdsys.rump_sys___sysctl(rk, mib, old, new SysctlLen(r.one_in(4) ? r.below(5000) : (old?.length ?? 0)), value);
  }
}

/** The programs. */
export const SESSIONS: readonly ((rk: RumpKernel, r: Rng) => void)[] = [
  routing,
  filtering,
  ioctls,
  inet_socket,
  rights,
  sysctls,
];
