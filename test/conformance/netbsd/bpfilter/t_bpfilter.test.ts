// NetBSD tests/net/bpfilter/t_bpfilter: a filter that looks at the end of a packet, short and long; and what BIOCSETF refuses.
import { expect } from "chai";
import { O_RDWR } from "../../../../kernel-components/kern/fcntl.ts";
import {
  BIOCGBLEN,
  BIOCGSTATS,
  BIOCIMMEDIATE,
  BIOCSETF,
  BIOCSETIF,
  bpf_program_abi,
  bpf_uint,
} from "../../../../kernel-components/net/bpf_abi.ts";
import { ifreq } from "../../../../kernel-components/net/if_abi.ts";
import * as B from "../../../../kernel-components/wire/bpf_insn.ts";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";
import { codeOf } from "../../../rumpsys/sim_rump.ts";

const SIZEOF_BPF_STAT = 128;
const ETHER_IP_ICMP_TYPE = 34;
const SNAPLEN = -1;
const RET_0 = B.BPF_STMT(B.BPF_RET | B.BPF_K, 0);
const ld = (size: number, mode: number, k: number): readonly number[] => B.BPF_STMT(B.BPF_LD | size | mode, k);
const jeq = (k: number): readonly number[][] => [[...B.BPF_JUMP(B.BPF_JMP | B.BPF_JEQ | B.BPF_K, k, 1, 0)], [...RET_0]];

/** Echo replies that end in 37 c2c2 7d7d7d7d. */
const MAGIC = [
  ld(B.BPF_B, B.BPF_ABS, ETHER_IP_ICMP_TYPE),
  ...jeq(0),
  B.BPF_STMT(B.BPF_LD | B.BPF_W | B.BPF_LEN, 0),
  B.BPF_STMT(B.BPF_ALU | B.BPF_SUB | B.BPF_K, 7),
  B.BPF_STMT(B.BPF_MISC | B.BPF_TAX, 0),
  ld(B.BPF_B, B.BPF_IND, 0),
  ...jeq(0x37),
  ld(B.BPF_H, B.BPF_IND, 1),
  ...jeq(0xc2c2),
  ld(B.BPF_W, B.BPF_IND, 3),
  ...jeq(0x7d7d7d7d),
  B.BPF_STMT(B.BPF_RET | B.BPF_K, SNAPLEN),
].flat();

async function magic_ping_test(w: NetWorld, wirelen: number): Promise<void> {
  w.netcfg_rump_if("a", "shmif0", "bus1", "10.1.1.20/8");
  w.netcfg_rump_if("b", "shmif0", "bus1", "10.1.1.10/8");
  const sys = w.sys("a");
  const fd = sys.open("/dev/bpf", O_RDWR);
  sys.ioctl(fd, BIOCSETF, bpf_program_abi(MAGIC));
  sys.ioctl(fd, BIOCSETIF, ifreq("shmif0"));
  sys.ioctl(fd, BIOCIMMEDIATE, bpf_uint(1));
  const blen = bpf_uint(0);
  sys.ioctl(fd, BIOCGBLEN, blen);
  const datalen = wirelen - 14 - 20 - 8;
  await w.ping("a", `-s ${datalen} 10.1.1.10`);
  // ping's pattern repeats from the start of the data: 7 bytes that end where the packet ends.
  const tail = [0x37, 0xc2, 0xc2, 0x7d, 0x7d, 0x7d, 0x7d];
  const shift = datalen % 7;
  const pattern = Array.from({ length: 7 }, (_, i) =>
    (tail[(i - shift + 7) % 7] as number).toString(16).padStart(2, "0"),
  ).join("");
  await w.ping("a", `-s ${datalen} -p ${pattern} 10.1.1.10`);
  const buf = new Uint8Array(new DataView(blen.buffer).getUint32(0, true));
  const n = sys.sync.read(fd, buf);
  const dv = new DataView(buf.buffer);
  expect(dv.getUint32(16, true), "bh_caplen").to.equal(wirelen);
  expect(n, "only the packet with the magic").to.be.below(2 * wirelen);
  const stat = new Uint8Array(SIZEOF_BPF_STAT);
  sys.ioctl(fd, BIOCGSTATS, stat);
  expect(new DataView(stat.buffer).getUint32(16, true), "bs_capt").to.equal(1);
  sys.sync.close(fd);
}

/** BIOCSETF with a program: "" if it is taken. */
function setf(w: NetWorld, ...insns: readonly (readonly number[])[]): string {
  const sys = w.sys("a");
  const fd = sys.open("/dev/bpf", O_RDWR);
  const code = codeOf(() => sys.ioctl(fd, BIOCSETF, bpf_program_abi(insns.flat())));
  sys.sync.close(fd);
  return code;
}

const RET_A = B.BPF_STMT(B.BPF_RET | B.BPF_A, 0);

describe("net/bpfilter/t_bpfilter", () => {
  net_case("bpfiltercontig", (w) => magic_ping_test(w, 128));

  net_case("bpfiltermchain", (w) => magic_ping_test(w, 1001));

  net_case("bpfilterbadmem", (w) => {
    expect(setf(w, B.BPF_STMT(B.BPF_LD | B.BPF_MEM, 0), RET_A)).to.equal("EINVAL");
    expect(setf(w, B.BPF_STMT(B.BPF_ST, B.BPF_MEMWORDS), RET_A)).to.equal("EINVAL");
  });

  net_case("bpfilternoinitA", (w) => void expect(setf(w, RET_A)).to.equal(""));

  net_case("bpfilternoinitX", (w) => void expect(setf(w, B.BPF_STMT(B.BPF_MISC | B.BPF_TXA, 0), RET_A)).to.equal(""));

  net_case("bpfilterbadjmp", (w) => {
    expect(setf(w, B.BPF_JUMP(B.BPF_JMP | B.BPF_JEQ | B.BPF_K, 0, 8, 8), RET_A)).to.equal("EINVAL");
    expect(setf(w, B.BPF_STMT(B.BPF_JMP | B.BPF_JA, 1), RET_A)).to.equal("EINVAL");
  });

  net_case("bpfilternegjmp", (w) => {
    expect(setf(w, B.BPF_STMT(B.BPF_LD | B.BPF_IMM, 0), B.BPF_STMT(B.BPF_JMP | B.BPF_JA, -2), RET_A)).to.equal(
      "EINVAL",
    );
  });

  net_case("bpfilterbadret", (w) => {
    expect(setf(w, B.BPF_STMT(B.BPF_RET | 0x18, 0))).to.equal("EINVAL");
    expect(setf(w, B.BPF_STMT(B.BPF_LD | B.BPF_IMM, 0))).to.equal("EINVAL");
  });
});
