// Every system call with hostile arguments.
import { SysctlLen } from "../../kernel-components/kern/sysctl_bytes.ts";
import { Stat } from "../../kernel-components/kern/proc.ts";
import { Pollfd } from "../../kernel-components/kern/sys_poll.ts";
import { BIOCSETF, BIOCSETWF } from "../../kernel-components/net/bpf_abi.ts";
import { Msghdr } from "../../kernel-components/socket/uipc_syscalls_msg.ts";
import { SockaddrOut } from "../../kernel-components/socket/socketvar.ts";
import type { RumpKernel } from "../../rumpsys/rump_kernel.ts";
import * as sys from "../../rumpsys/rump_sys.ts";
import * as fdsys from "../../rumpsys/rump_sys_fd.ts";
import {
  hostile_cmsgs,
  hostile_filter,
  hostile_ioctl,
  hostile_ioctl_data,
  hostile_mib,
  hostile_rtm,
  hostile_sockaddr,
} from "./control_maker.ts";
import type { Rng } from "./rng.ts";

/** A call. */
export type Call = (rk: RumpKernel, r: Rng) => void;

/** Highest descriptor that is tried, and a little above. */
const FDS = 60;
const LEVELS: readonly number[] = [0, 0, 1, 6, 17, 41, 0xffff, 0xffff];

function fd(r: Rng): number {
  return r.one_in(32) ? r.wild() : r.below(FDS);
}

function msg(r: Rng): Msghdr {
  const m = new Msghdr();
  if (r.one_in(2)) m.msg_name = hostile_sockaddr(r);
  if (r.one_in(2)) m.msg_nameout = new SockaddrOut();
  if (!r.one_in(4)) {
    m.msg_control = hostile_cmsgs(r);
    m.msg_controllen = m.msg_control.length;
  }
  return m;
}

function flags(r: Rng): number {
  return r.one_in(4) ? r.wild() : r.pick([0, 0, 1, 2, 4, 0x40, 0x80, 0x800]);
}

function optname(r: Rng): number {
  return r.one_in(8) ? r.wild() : r.one_in(2) ? r.below(40) : r.one_in(2) ? 1 << r.below(16) : 0x1000 + r.below(16);
}

/** Closing is seldom, so that there is something to play with. */
function close_some(rk: RumpKernel, r: Rng): void {
  if (r.one_in(3)) fdsys.rump_sys_close(rk, fd(r));
}

/** The calls. */
export const CALLS: readonly Call[] = [
  (rk, r) =>
    sys.rump_sys_socket(
      rk,
      r.one_in(8) ? r.wild() : r.pick([1, 2, 2, 34]),
      r.one_in(8) ? r.wild() : r.pick([1, 2, 2, 3, 5]),
      r.one_in(2) ? 0 : r.pick([1, 2, 6, 17, 99, 255, r.wild()]),
    ),
  (rk, r) => sys.rump_sys_socketpair(rk, r.one_in(8) ? r.wild() : 1, r.pick([1, 2, 5, r.wild()]), 0, [0, 0]),
  (rk, r) => sys.rump_sys_bind(rk, fd(r), hostile_sockaddr(r)),
  (rk, r) => sys.rump_sys_connect(rk, fd(r), hostile_sockaddr(r)),
  (rk, r) => sys.rump_sys_listen(rk, fd(r), r.wild()),
  (rk, r) => sys.rump_sys_paccept(rk, fd(r), r.one_in(2) ? null : new SockaddrOut(), r.wild()),
  (rk, r) => sys.rump_sys_shutdown(rk, fd(r), r.one_in(2) ? r.below(4) : r.wild()),
  (rk, r) =>
    sys.rump_sys_sendto(
      rk,
      fd(r),
      r.bytes(r.below(200)),
      r.one_in(8) ? r.wild() & 0xffff : 100,
      flags(r),
      r.one_in(4) ? null : hostile_sockaddr(r),
    ),
  (rk, r) =>
    sys.rump_sys_sendmsg(
      rk,
      fd(r),
      [r.bytes(r.below(80)), new Uint8Array(0), r.bytes(r.one_in(32) ? 70_000 : 20)],
      msg(r),
      flags(r),
    ),
  (rk, r) => sys.rump_sys_recvmsg(rk, fd(r), [new Uint8Array(r.below(3000)), new Uint8Array(9)], msg(r), flags(r)),
  (rk, r) => sys.rump_sys_recvfrom(rk, fd(r), new Uint8Array(100), r.below(200), flags(r), new SockaddrOut()),
  (rk, r) => sys.rump_sys_read(rk, fd(r), new Uint8Array(r.pick([0, 1, 100, 32_768])), 32_768),
  (rk, r) => sys.rump_sys_write(rk, fd(r), hostile_rtm(r), 4096),
  (rk, r) => sys.rump_sys_write(rk, fd(r), hostile_rtm(r), 4096),
  (rk, r) => sys.rump_sys_write(rk, fd(r), hostile_rtm(r), 4096),
  (rk, r) => sys.rump_sys_write(rk, fd(r), r.bytes(r.below(1700)), 4096),
  (rk, r) => sys.rump_sys_writev(rk, fd(r), [r.bytes(14), r.bytes(r.below(60))]),
  (rk, r) => sys.rump_sys_readv(rk, fd(r), [new Uint8Array(3), new Uint8Array(r.below(500))]),
  (rk, r) => sys.rump_sys_getsockname(rk, fd(r), new SockaddrOut()),
  (rk, r) => sys.rump_sys_getpeername(rk, fd(r), new SockaddrOut()),
  (rk, r) =>
    sys.rump_sys_setsockopt(
      rk,
      fd(r),
      r.one_in(16) ? r.wild() : r.pick(LEVELS),
      optname(r),
      r.one_in(3) ? hostile_sockaddr(r) : r.bytes(r.pick([0, 1, 3, 4, 4, 8, 12, 16, 200])),
    ),
  (rk, r) =>
    sys.rump_sys_getsockopt(
      rk,
      fd(r),
      r.one_in(16) ? r.wild() : r.pick(LEVELS),
      optname(r),
      r.bytes(r.pick([0, 1, 3, 4, 4, 8, 12, 16, 200])),
    ),
  (rk, r) =>
    fdsys.rump_sys_open(
      rk,
      r.pick(["/dev/bpf", "/dev/bpf", "/dev/bpf0", "", "/", "/dev", "\0"]),
      r.one_in(4) ? r.wild() : 2,
    ),
  close_some,
  (rk, r) => fdsys.rump_sys_dup(rk, fd(r)),
  (rk, r) => fdsys.rump_sys_dup2(rk, fd(r), fd(r)),
  (rk, r) => fdsys.rump_sys_fcntl(rk, fd(r), r.one_in(4) ? r.wild() : r.below(14), r.wild()),
  ioctl,
  ioctl,
  ioctl,
  ioctl,
  ioctl,
  (rk, r) => fdsys.rump_sys_ioctl(rk, fd(r), r.one_in(2) ? BIOCSETF : BIOCSETWF, hostile_filter(r)),
  (rk, r) => fdsys.rump_sys_fstat(rk, fd(r), new Stat()),
  (rk, r) =>
    fdsys.rump_sys_poll(
      rk,
      [0, 1, 2].map(() => pollfd(r)),
    ),
  (rk, r) =>
    fdsys.rump_sys___sysctl(
      rk,
      hostile_mib(r),
      r.one_in(4) ? null : new Uint8Array(r.pick([0, 1, 4, 8, 96, 2000, 40_000])),
      new SysctlLen(r.one_in(8) ? r.wild() : 40_000),
      r.one_in(3) ? r.bytes(r.pick([0, 1, 4, 4, 8, 30, 400])) : null,
    ),
];

function ioctl(rk: RumpKernel, r: Rng): void {
  const cmd = hostile_ioctl(r);
  fdsys.rump_sys_ioctl(rk, fd(r), cmd, hostile_ioctl_data(r, cmd));
}

function pollfd(r: Rng): Pollfd {
  return new Pollfd(fd(r), r.wild());
}
