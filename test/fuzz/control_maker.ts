// Grammar of hostile control input: sockaddrs, ioctls, routing messages, filters, control messages, sysctl names.
import * as bpf from "../../kernel-components/net/bpf_abi.ts";
import * as ifabi from "../../kernel-components/net/if_abi.ts";
import { IOCPARM_LEN } from "../../kernel-components/kern/ioccom.ts";
import type { Rng } from "./rng.ts";

function numbers(module: Readonly<Record<string, unknown>>, prefix: RegExp): number[] {
  return Object.entries(module).flatMap(([name, v]) => (prefix.test(name) && typeof v === "number" ? [v] : []));
}

/** Every ioctl that interfaces know. */
const SIOC: readonly number[] = numbers(ifabi, /SIOC/);
/** Every ioctl of bpf. */
const BIOC: readonly number[] = numbers(bpf, /^BIOC/);
const IFNAMES: readonly string[] = [
  "virt0",
  "virt0",
  "virt1",
  "ptp0",
  "lo0",
  "lo1",
  "lo2",
  "shmif0",
  "virt2",
  "ptp1",
  "",
  "lo",
  "lo99999999",
  "0",
  "x\u00ff",
  "abcdefghijklmnopqrs",
];
const FAMILIES: readonly number[] = [0, 1, 2, 2, 2, 18, 24, 28, 34, 255];
const ADDRS: readonly number[] = [
  0x0a000001, 0x0a000002, 0x0a010009, 0x0a020002, 0x7f000001, 0xe0000001, 0xffffffff, 0, 0xc6336400, 0xffffff00,
  0xff00ff00,
];

/** A sockaddr with nothing right about it but what chance made so. */
export function hostile_sockaddr(r: Rng): Uint8Array {
  const n = r.one_in(4) ? r.below(280) : r.pick([0, 1, 2, 3, 8, 15, 16, 16, 16, 17, 28, 106]);
  const sa = r.one_in(2) ? r.bytes(n) : new Uint8Array(n);
  if (n > 0) sa[0] = r.one_in(4) ? r.below(256) : n;
  if (n > 1) sa[1] = r.pick(FAMILIES);
  if (n >= 8) new DataView(sa.buffer).setInt32(4, r.pick(ADDRS));
  return sa;
}

/** An ioctl command. */
export function hostile_ioctl(r: Rng): number {
  const cmd = r.one_in(12) ? r.next() | 0 : r.one_in(3) ? r.pick(BIOC) : r.pick(SIOC);
  return r.one_in(24) ? cmd ^ (1 << r.below(32)) : cmd;
}

/** What goes with it. */
export function hostile_ioctl_data(r: Rng, cmd: number): Uint8Array {
  const size = IOCPARM_LEN(cmd);
  const data = r.one_in(3)
    ? r.bytes(size + r.below(64))
    : new Uint8Array(r.one_in(16) ? r.below(size + 1) : size + r.below(3) * 40);
  const name = r.pick(IFNAMES);
  if (!r.one_in(12)) for (let i = 0; i < 16 && i < data.length; i++) data[i] = i < name.length ? name.charCodeAt(i) : 0;
  for (let at = 16; at + 16 <= data.length && at < 80; at += 16) {
    if (!r.one_in(2)) continue;
    const sa = hostile_sockaddr(r).subarray(0, 16);
    data.set(sa, at);
    if (r.one_in(2)) data[at] = 16;
  }
  if (r.one_in(4) && data.length >= 24) new DataView(data.buffer).setInt32(16, r.wild(), true);
  if (r.one_in(6) && data.length >= 16) {
    const dv = new DataView(data.buffer);
    dv.setInt32(0, r.wild(), true);
    dv.setUint32(8, r.one_in(2) ? size : r.next(), true);
    dv.setUint32(12, r.one_in(2) ? 0 : r.next(), true);
  }
  return data;
}

/** A routing message. */
export function hostile_rtm(r: Rng): Uint8Array {
  const parts: Uint8Array[] = [];
  let addrs = 0;
  for (let bit = 0; bit < 9; bit++) {
    if (!r.one_in(bit < 3 ? 2 : 8)) continue;
    addrs |= 1 << bit;
    const sa = hostile_sockaddr(r);
    const padded = new Uint8Array(r.one_in(16) ? sa.length : (Math.max(sa.length, 1) + 7) & ~7);
    padded.set(sa);
    parts.push(padded);
  }
  const msg = new Uint8Array(120 + parts.reduce((n, p) => n + p.length, 0));
  const dv = new DataView(msg.buffer);
  if (r.one_in(8)) r.fill(msg, 0, 120);
  dv.setUint16(0, r.one_in(16) ? r.wild() : msg.length, true);
  msg[2] = r.one_in(32) ? r.below(256) : 4;
  msg[3] = r.one_in(6) ? r.below(256) : r.pick([1, 2, 3, 4, 8]);
  dv.setUint16(4, r.one_in(2) ? r.below(8) : r.wild(), true);
  dv.setInt32(8, r.one_in(2) ? r.next() | 0 : r.pick([0, 1, 3, 5, 7, 0x400, 0x401, 0x405, 0x803, 0x100, 0x1000]), true);
  dv.setInt32(12, r.one_in(16) ? r.wild() : addrs, true);
  if (r.one_in(4)) {
    dv.setInt32(32, r.wild(), true);
    r.fill(msg, 40, 120);
  }
  let at = 120;
  for (const p of parts) {
    msg.set(p, at);
    at += p.length;
  }
  return r.one_in(16) ? msg.subarray(0, r.below(msg.length + 1)) : msg;
}

/** A filter: valid instructions with wild operands, or noise. */
export function hostile_filter(r: Rng): Uint8Array {
  const n = r.one_in(32) ? r.below(600) : r.below(20);
  const insns: number[] = [];
  for (let i = 0; i < n; i++) {
    const code = r.one_in(8)
      ? r.wild() & 0xffff
      : r.pick([
          0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0xb1, 0x01, 0x61, 0x02, 0x03, 0x04, 0x14, 0x24, 0x34,
          0x94, 0x3c, 0x44, 0x54, 0x64, 0x74, 0x84, 0x05, 0x15, 0x25, 0x35, 0x45, 0x1d, 0x07, 0x87,
        ]);
    const jump = (): number => (r.one_in(8) ? r.below(256) : r.below(Math.max(1, n - i - 1)));
    insns.push(code, jump(), jump(), r.one_in(2) ? r.below(64) : r.wild());
  }
  insns.push(0x06, 0, 0, r.wild());
  const data = bpf.bpf_program_abi(insns);
  if (r.one_in(8)) data[r.below(16)] = r.below(256);
  return data;
}

/** Control messages. */
export function hostile_cmsgs(r: Rng): Uint8Array {
  const b = new Uint8Array(r.one_in(8) ? r.below(3000) : r.below(120));
  if (r.one_in(6)) r.fill(b, 0, b.length);
  const dv = new DataView(b.buffer);
  for (let at = 0; at + 12 <= b.length; ) {
    const len = r.one_in(6) ? r.wild() : 16 + r.pick([0, 1, 4, 4, 8, 12, 16]);
    dv.setInt32(at, len, true);
    dv.setInt32(at + 4, r.pick([0xffff, 0xffff, 0, 17, r.wild()]), true);
    dv.setInt32(at + 8, r.pick([1, 1, 7, 25, 4, 8, 0x10, r.wild()]), true);
    for (let i = at + 16; i + 4 <= b.length && i < at + len; i += 4)
      dv.setInt32(i, r.one_in(3) ? r.pick(ADDRS) : r.below(40), true);
    at += len < 16 || len > b.length ? 16 + r.below(32) : (len + 7) & ~7;
  }
  return b;
}

/** A sysctl name. */
export function hostile_mib(r: Rng): number[] {
  const name: number[] = [r.one_in(8) ? r.wild() : r.pick([1, 4, 4, 4, 6, 1024])];
  if (name[0] === 4) name.push(r.pick([2, 2, 1, 34, 18, 1024, 1025, r.wild()]));
  const n = r.one_in(16) ? r.below(14) : r.below(5);
  for (let i = 0; i < n; i++)
    name.push(r.one_in(6) ? r.wild() : r.one_in(8) ? -1 - r.below(8) : r.one_in(2) ? r.below(40) : 1024 + r.below(24));
  return name;
}
