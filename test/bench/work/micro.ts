// Small loops over single operations of the kernel: micro.js NAME. ns per operation.
import {
  callout_destroy,
  callout_init,
  callout_schedule,
  callout_setfunc,
  callout_stop,
} from "../../../kernel-components/kern/callout.ts";
import type { Callout } from "../../../kernel-components/kern/callout.ts";
import { MT_DATA } from "../../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem, m_getcl } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { RadixHead, rn_addroute, rn_maskkey, rn_match4 } from "../../../kernel-components/net/radix.ts";
import type { RumpKernel } from "../../../rumpsys/rump_kernel.ts";
import { rump_sys_getpid } from "../../../rumpsys/rump_sys_fd.ts";
import { boot, ns_per_op, say } from "./kit.ts";

/** Packets held at once. */
const HELD = 64;
/** Callouts that are pending while one is set again. */
const PENDING = 100_000;
/** Routes of the table. */
const ROUTES = 100_000;
/** Bytes of a full packet. */
const PACKET = 1460;

/** m_getcl and m_freem of packets, HELD at a time. */
function mbuf({ k }: RumpKernel): number {
  const held: Mbuf[] = [];
  return ns_per_op((n) => {
    for (let i = 0; i < n; i += HELD) {
      for (let j = 0; j < HELD; j++) held[j] = m_getcl(k.mb, MT_DATA, true)!;
      for (let j = 0; j < HELD; j++) m_freem(held[j]!);
    }
  });
}

/** Setting a random one of many pending callouts anew, and stopping it every eighth time. */
function callout({ k }: RumpKernel): number {
  k.enter();
  const all: Callout[] = [];
  for (let i = 0; i < PENDING; i++) {
    const c = callout_init(k);
    callout_setfunc(c, () => undefined, null);
    callout_schedule(c, 1e9 + i * 1e5);
    all.push(c);
  }
  const ns = ns_per_op((n) => {
    let at = 1;
    for (let i = 0; i < n; i++) {
      at = (Math.imul(at, 1103515245) + 12345) >>> 0;
      const c = all[at % PENDING]!;
      if ((i & 7) === 0) callout_stop(c);
      callout_schedule(c, 1e9 + (at & 0xffff) * 1e6);
    }
  });
  for (const c of all) {
    callout_stop(c);
    callout_destroy(c);
  }
  k.leave();
  return ns;
}

/** Longest prefix match of random addresses in a table of ROUTES prefixes of 8 to 28 bits. */
function lpm(): number {
  const head = new RadixHead<object>(0, 4);
  let at = 12345;
  const random = (): number => {
    at = (Math.imul(at, 1664525) + 1013904223) | 0;
    return at ^ (at >>> 16);
  };
  while (head.rnh_count < ROUTES) {
    const plen = 8 + ((random() & 0x7fff) % 21);
    const a = random();
    const key = Uint8Array.of(a >>> 24, a >>> 16, a >>> 8, a);
    rn_maskkey(key, plen);
    rn_addroute(head, key, plen, {});
  }
  let hits = 0;
  const ns = ns_per_op((n) => {
    for (let i = 0; i < n; i++) if (rn_match4(head, random()) !== null) hits++;
  });
  if (hits === 0) throw new Error("no address was found");
  return ns;
}

/** The Internet checksum of PACKET bytes. */
function cksum({ k }: RumpKernel): number {
  const off = k.host.memory.rumpuser_malloc(2048, 64);
  k.random_bytes(k.u8.subarray(off, off + PACKET));
  let sum = 0;
  const ns = ns_per_op((n) => {
    for (let i = 0; i < n; i++) sum += k.slab.cksum(off, PACKET);
  });
  if (sum === 0) throw new Error("the sum of random bytes is 0");
  return ns;
}

/** getpid(2) by the plain face. */
function syscall(rk: RumpKernel): number {
  let sum = 0;
  const ns = ns_per_op((n) => {
    for (let i = 0; i < n; i++) sum += rump_sys_getpid(rk);
  });
  if (sum === 0) throw new Error("no process id");
  return ns;
}

/** setTimeout and clearTimeout: what a program without a wheel does. */
function timers(): number {
  const all: NodeJS.Timeout[] = [];
  for (let i = 0; i < PENDING; i++) all.push(setTimeout(() => undefined, 1000 + i));
  return ns_per_op((n) => {
    let at = 1;
    for (let i = 0; i < n; i++) {
      at = (Math.imul(at, 1103515245) + 12345) >>> 0;
      const slot = at % PENDING;
      clearTimeout(all[slot]);
      all[slot] = setTimeout(() => undefined, 1000 + (at & 0xffff));
    }
  });
}

const loops: Readonly<Record<string, (rk: RumpKernel) => number>> = { mbuf, callout, lpm, cksum, syscall, timers };
const name = process.argv[2] ?? "";
const loop = loops[name];
if (loop === undefined)
  throw new Error(`unknown loop ${JSON.stringify(name)}; one of ${Object.keys(loops).join(", ")}`);
say(loop(boot("micro")));
process.exit(0);
