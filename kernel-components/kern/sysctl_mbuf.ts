// kern.mbuf.*: sizes, limits, statistics and owners of the mbuf pools.
import { EINVAL } from "../../hypercall/api/errno.ts";
import type { Kernel } from "./kernel.ts";
import {
  MBS_CL_FAIL,
  MBS_DRAIN,
  MBS_JCL_FAIL,
  MBS_MBUF_FAIL,
  MBSTAT_NAMES,
  MCLBYTES,
  MJUMBYTES,
  MSIZE,
  MT_NTYPES,
} from "./mbuf.ts";
import type { MbufPools } from "./mbuf.ts";
import type { SysctlTree } from "./sysctl.ts";
import {
  KERN_MBUF,
  MBUF_MCLBYTES,
  MBUF_MOWNERS,
  MBUF_MSIZE,
  MBUF_NMBCLUSTERS,
  MBUF_NMBCLUSTERS_LIMIT,
  MBUF_STATS,
} from "./sysctl_mib.ts";

/** Most mbufs or clusters that a limit may be set to: 2 GB of slab hold no more. */
const NMB_LIMIT: number = 2 ** 23;
/** struct mbstat: seven longs, then 256 shorts. */
const MBSTAT_SIZE = 568;
const MBSTAT_DROPS = 32;
const MBSTAT_DRAIN = 48;
const MBSTAT_MTYPES = 56;
/** struct mowner_user: two names of 16 bytes and six longs. */
const MOWNER_SIZE = 80;
const MOWNER_NAMELEN = 16;
const MOWNER_CLAIMS = 32;
const MOWNER_RELEASES = 56;

/** Make the nodes. */
export function sysctl_mbuf_fill(k: Kernel, tree: SysctlTree): void {
  const mb = k.mb;
  const mem = mb.mem;
  tree.addNode("kern.mbuf", "mbuf control variables", KERN_MBUF);
  tree.addInt("kern.mbuf.msize", { num: MBUF_MSIZE, desc: "mbuf base size", get: () => MSIZE });
  tree.addInt("kern.mbuf.mclbytes", { num: MBUF_MCLBYTES, desc: "mbuf cluster size", get: () => MCLBYTES });
  tree.addInt("kern.mbuf.mjumbytes", { desc: "mbuf jumbo cluster size", get: () => MJUMBYTES });
  tree.addInt("kern.mbuf.nmbclusters", {
    num: MBUF_NMBCLUSTERS,
    desc: "Limit on the number of mbuf clusters; can be raised",
    max: NMB_LIMIT,
    get: () => mem.nmbclusters,
    set: (v) => {
      if (v < mem.nmbclusters) return EINVAL;
      mem.nmbclusters = v;
      return 0;
    },
  });
  tree.addInt("kern.mbuf.nmbclusters_limit", {
    num: MBUF_NMBCLUSTERS_LIMIT,
    desc: "Limit of nmbclusters",
    get: () => NMB_LIMIT,
  });
  tree.addInt("kern.mbuf.nmbufs", {
    desc: "Limit on the number of mbufs; can be raised",
    max: NMB_LIMIT,
    get: () => mem.nmbufs,
    set: (v) => {
      if (v < mem.nmbufs) return EINVAL;
      mem.nmbufs = v;
      return 0;
    },
  });
  tree.addInt("kern.mbuf.nmbjumbo", {
    desc: "Limit on the number of jumbo clusters; can be raised",
    max: NMB_LIMIT,
    get: () => mem.nmbjumbo,
    set: (v) => {
      if (v < mem.nmbjumbo) return EINVAL;
      mem.nmbjumbo = v;
      return 0;
    },
  });
  tree.addQuad("kern.mbuf.bytes", { desc: "Bytes of the slab that the pools hold", get: () => mem.bytes });
  tree.addStruct("kern.mbuf.stats", {
    num: MBUF_STATS,
    desc: "mbuf allocation statistics",
    get: () => mbstat_bytes(mb),
  });
  tree.addStruct("kern.mbuf.mowners", {
    num: MBUF_MOWNERS,
    desc: "Information about mbuf owners",
    get: () => mowners_bytes(mb),
  });
  tree.addNode("kern.mbuf.count", "mbuf counters");
  for (let i = 0; i < MBSTAT_NAMES.length; i++) {
    tree.addQuad(`kern.mbuf.count.${MBSTAT_NAMES[i].replaceAll(" ", "_")}`, {
      desc: `Number of: ${MBSTAT_NAMES[i]}`,
      get: () => mb.mbstat[i],
    });
  }
}

function mbstat_bytes(mb: MbufPools): Uint8Array {
  const out = new Uint8Array(MBSTAT_SIZE);
  const dv = new DataView(out.buffer);
  const s = mb.mbstat;
  dv.setBigUint64(MBSTAT_DROPS, BigInt(s[MBS_MBUF_FAIL] + s[MBS_CL_FAIL] + s[MBS_JCL_FAIL]), true);
  dv.setBigUint64(MBSTAT_DRAIN, BigInt(s[MBS_DRAIN]), true);
  for (let t = 0; t < MT_NTYPES; t++) dv.setUint16(MBSTAT_MTYPES + 2 * t, Math.min(mb.mtype(t), 0xffff), true);
  return out;
}

function mowners_bytes(mb: MbufPools): Uint8Array {
  const out = new Uint8Array(MOWNER_SIZE * mb.owners.length);
  const dv = new DataView(out.buffer);
  for (let i = 0; i < mb.owners.length; i++) {
    const mo = mb.owners[i];
    const at = i * MOWNER_SIZE;
    for (let j = 0; j < MOWNER_NAMELEN - 1; j++) {
      if (j < mo.mo_name.length) out[at + j] = mo.mo_name.charCodeAt(j);
      if (j < mo.mo_descr.length) out[at + MOWNER_NAMELEN + j] = mo.mo_descr.charCodeAt(j);
    }
    dv.setBigUint64(at + MOWNER_CLAIMS, BigInt(mo.mo_claims), true);
    dv.setBigUint64(at + MOWNER_RELEASES, BigInt(mo.mo_releases), true);
  }
  return out;
}
