/**
 * The system calls of the object facade as ops: descriptors, options, poll, sysctl. None but poll and select ever waits.
 */
import { EINVAL, ENOENT } from "../hypercall/api/errno.ts";
import { Stat } from "../kernel-components/kern/proc.ts";
import type { Kernel } from "../kernel-components/kern/kernel.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
} from "../kernel-components/kern/select.ts";
import { INFTIM, Pollfd, sys_poll } from "../kernel-components/kern/sys_poll.ts";
import { SysctlLen } from "../kernel-components/kern/sysctl_bytes.ts";
import {
  bytes_to_number,
  bytes_to_string,
  number_to_bytes,
  string_to_bytes,
} from "../kernel-components/kern/sysctl_bytes.ts";
import {
  CTLTYPE_BOOL,
  CTLTYPE_INT,
  CTLTYPE_NODE,
  CTLTYPE_QUAD,
  CTLTYPE_STRING,
} from "../kernel-components/kern/sysctl_mib.ts";
import { sys_fstat } from "../kernel-components/kern/sys_generic.ts";
import { sys_getsockopt, sys_setsockopt } from "../kernel-components/socket/uipc_syscalls.ts";
import { Sockopt } from "../kernel-components/socket/socketvar.ts";
import { EBADF } from "../hypercall/api/errno.ts";
import type { SysFrame, SysOp } from "./sys_frame.ts";
import { RumpError } from "./errors.ts";

/** One file of a poll; revents is filled in. */
export interface PollRequest {
  /** Descriptor; a negative one is ignored. */
  fd: number;
  /** POLL* bits asked for. */
  events: number;
  /** POLL* bits that hold. */
  revents?: number;
}

/** Sets of descriptors of select. */
export interface SelectSets {
  /** To be read. */
  readonly read?: readonly number[];
  /** To be written. */
  readonly write?: readonly number[];
  /** With urgent data. */
  readonly except?: readonly number[];
}

/** Descriptors that are ready. */
export interface SelectReady {
  /** Can be read. */
  readonly read: number[];
  /** Can be written. */
  readonly write: number[];
  /** Have urgent data. */
  readonly except: number[];
}

/** A sysctl value: int, quad and bool as number, string, everything else as bytes. */
export type SysctlData = number | string | Uint8Array;

/** poll(2). */
export function op_poll(fds: readonly PollRequest[], timeout_ms: number): SysOp<number> {
  const list = fds.map((p) => new Pollfd(p.fd, p.events));
  return {
    syscall: "poll",
    fd: -1,
    setup: null,
    run: (f) => sys_poll(f.l, list, timeout_ms, f.rv),
    result: (f) => {
      list.forEach((p, i) => {
        const request = fds[i];
        if (request !== undefined) request.revents = p.revents;
      });
      return f.rv.val;
    },
  };
}

/** select(2) on top of poll. EBADF if a descriptor is not open. */
export function op_select(sets: SelectSets, timeout_ms: number | null): SysOp<SelectReady> {
  const events = new Map<number, number>();
  const want = (list: readonly number[] | undefined, bits: number): void => {
    for (const fd of list ?? []) events.set(fd, (events.get(fd) ?? 0) | bits);
  };
  want(sets.read, POLLIN | POLLRDNORM);
  want(sets.write, POLLOUT);
  want(sets.except, POLLPRI | POLLRDBAND);
  const list = [...events].map(([fd, bits]) => new Pollfd(fd, bits));
  const got = (fd: number, bits: number): boolean => list.some((p) => p.fd === fd && (p.revents & bits) !== 0);
  return {
    syscall: "select",
    fd: -1,
    setup: null,
    run: (f) => {
      const error = sys_poll(f.l, list, timeout_ms ?? INFTIM, f.rv);
      return error === 0 && list.some((p) => (p.revents & POLLNVAL) !== 0) ? EBADF : error;
    },
    result: () => ({
      read: (sets.read ?? []).filter((fd) => got(fd, POLLIN | POLLRDNORM | POLLHUP | POLLERR)),
      write: (sets.write ?? []).filter((fd) => got(fd, POLLOUT | POLLERR)),
      except: (sets.except ?? []).filter((fd) => got(fd, POLLPRI | POLLRDBAND)),
    }),
  };
}

/** getsockopt(2): the bytes of the value. */
export function op_getsockopt(fd: number, level: number, name: number, room: number): SysOp<Uint8Array> {
  const sopt = new Sockopt(new Uint8Array(room), room);
  sopt.sopt_level = level;
  sopt.sopt_name = name;
  return {
    syscall: "getsockopt",
    fd,
    setup: null,
    run: (f) => sys_getsockopt(f.l, fd, sopt),
    result: () => sopt.sopt_data.subarray(0, sopt.sopt_size),
  };
}

/** setsockopt(2). */
export function op_setsockopt(
  fd: number,
  level: number,
  name: number,
  value: number | boolean | Uint8Array,
): SysOp<void> {
  const bytes = value instanceof Uint8Array ? value : number_to_bytes(Number(value), 4);
  const sopt = new Sockopt(bytes, bytes.length);
  sopt.sopt_level = level;
  sopt.sopt_name = name;
  return { syscall: "setsockopt", fd, setup: null, run: (f) => sys_setsockopt(f.l, fd, sopt), result: () => undefined };
}

/** fstat(2). */
export function op_fstat(fd: number): SysOp<Stat> {
  const st = new Stat();
  return { syscall: "fstat", fd, setup: null, run: (f) => sys_fstat(f.l, fd, st), result: () => st };
}

/** An integer option value: 1 or 4 bytes. */
export function sockopt_number(bytes: Uint8Array): number {
  if (bytes.length === 4) return bytes_to_number(bytes);
  if (bytes.length === 1) return bytes[0] as number;
  throw new RumpError(
    "getsockopt",
    EINVAL,
    undefined,
    undefined,
    `the value has ${bytes.length} bytes: use getsockoptBytes`,
  );
}

/** sysctl(3) by number: the old value as bytes. Room is found by asking. */
export function op_sysctl(
  k: Kernel,
  mib: readonly number[],
  newp: Uint8Array | null,
  address: string,
): SysOp<Uint8Array> {
  let old = new Uint8Array(0);
  return {
    syscall: "sysctl",
    fd: -1,
    setup: null,
    run: (f) => {
      const len = new SysctlLen(0);
      let error = k.sysctl.sysctl(mib, null, len, null, f.l);
      if (error !== 0) return error;
      old = new Uint8Array(len.len);
      error = k.sysctl.sysctl(mib, old, len, newp, f.l);
      old = old.subarray(0, Math.min(len.len, old.length));
      return error;
    },
    result: () => old,
    address,
  };
}

/** sysctlbyname(3): the old value in the type of its node. */
export function op_sysctlbyname(k: Kernel, name: string, value: SysctlData | undefined): SysOp<SysctlData> {
  const node = k.sysctl.byName(name);
  const type = node?.sysctl_type ?? CTLTYPE_NODE;
  const newp = value === undefined ? null : sysctl_encode(value, type, name);
  const op = op_sysctl(k, node?.mib() ?? [], newp, name);
  return {
    syscall: "sysctlbyname",
    fd: -1,
    setup: null,
    run: (f: SysFrame) => (node === null ? ENOENT : op.run(f)),
    result: (f) => sysctl_decode(op.result(f), type),
    address: name,
  };
}

function sysctl_encode(value: SysctlData, type: number, name: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const numeric = type === CTLTYPE_INT || type === CTLTYPE_QUAD || type === CTLTYPE_BOOL;
  if (typeof value === "number" && numeric) {
    if (!Number.isSafeInteger(value))
      throw new RumpError("sysctlbyname", EINVAL, name, undefined, "not a whole number");
    return number_to_bytes(value, type === CTLTYPE_INT ? 4 : type === CTLTYPE_QUAD ? 8 : 1);
  }
  if (typeof value === "string" && type === CTLTYPE_STRING) return string_to_bytes(value);
  throw new RumpError("sysctlbyname", EINVAL, name, undefined, `a ${typeof value} does not fit this node`);
}

function sysctl_decode(bytes: Uint8Array, type: number): SysctlData {
  if (type === CTLTYPE_INT || type === CTLTYPE_QUAD || type === CTLTYPE_BOOL) return bytes_to_number(bytes);
  if (type === CTLTYPE_STRING) return bytes_to_string(bytes);
  return bytes;
}
