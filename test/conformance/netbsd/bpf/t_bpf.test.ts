// NetBSD tests/net/bpf/t_bpf and t_div-by-zero.
import { expect } from "chai";
import { O_RDWR } from "../../../../kernel-components/kern/fcntl.ts";
import {
  BIOCGBLEN,
  BIOCGDLT,
  BIOCGDLTLIST,
  BIOCPROMISC,
  BIOCSBLEN,
  BIOCSDLT,
  BIOCSETF,
  BIOCSETIF,
  BIOCSFEEDBACK,
  bpf_dltlist_abi,
  bpf_program_abi,
  bpf_uint,
} from "../../../../kernel-components/net/bpf_abi.ts";
import { ifreq } from "../../../../kernel-components/net/if_abi.ts";
import { BPF_ALU, BPF_DIV, BPF_K, BPF_RET, BPF_STMT } from "../../../../kernel-components/wire/bpf_insn.ts";
import type { RumpSys } from "../../../../rumpsys/rumpsys.ts";
import { net_case } from "../../../support/net_world.ts";
import type { NetWorld } from "../../../support/net_world.ts";
import { codeOf } from "../../../rumpsys/sim_rump.ts";

const DLT_NULL = 0;
const DLT_EN10MB = 1;

/** A kernel with shmif0, not on any bus, and an open /dev/bpf. */
async function bpf_case(w: NetWorld, body: (sys: RumpSys, fd: number) => void | Promise<void>): Promise<void> {
  await w.ok("a", "ifconfig shmif0 create");
  const sys = w.sys("a");
  const fd = sys.open("/dev/bpf", O_RDWR);
  await body(sys, fd);
  sys.sync.close(fd);
}

function uint(b: Uint8Array): number {
  return new DataView(b.buffer).getUint32(0, true);
}

function get(sys: RumpSys, fd: number, cmd: number): number {
  const b = bpf_uint(0);
  sys.ioctl(fd, cmd, b);
  return uint(b);
}

describe("net/bpf/t_bpf", () => {
  net_case("bpfwriteleak", (w) =>
    bpf_case(w, (sys, fd) => {
      sys.ioctl(fd, BIOCSETIF, ifreq("shmif0"));
      sys.ioctl(fd, BIOCSFEEDBACK, bpf_uint(1));
      const before = w.kernel("a").k.mb.in_use();
      for (let i = 0; i < 10; i++) expect(codeOf(() => sys.sync.write(fd, new Uint8Array(28)))).to.equal("ENETDOWN");
      expect(w.kernel("a").k.mb.in_use()).to.deep.equal(before);
    }),
  );

  net_case("bpfwritetrunc", (w) =>
    bpf_case(w, (sys, fd) => {
      w.netcfg_rump_if("a", "shmif1", "bus1", "10.1.1.1/8");
      sys.ioctl(fd, BIOCSETIF, ifreq("shmif1"));
      // 4 GiB and 28 bytes, by many vectors over the same megabyte: 28 if the length were cut to 32 bits.
      const mega = new Uint8Array(1 << 20);
      const iov = [...Array.from({ length: 4096 }, () => mega), mega.subarray(0, 28)];
      expect(codeOf(() => sys.sync.write(fd, iov))).to.be.oneOf(["EMSGSIZE", "EINVAL"]);
      expect(codeOf(() => sys.sync.write(fd, [mega, mega.subarray(0, 28)]))).to.equal("EMSGSIZE");
    }),
  );

  net_case("bpf_ioctl_BLEN", (w) =>
    bpf_case(w, (sys, fd) => {
      expect(get(sys, fd, BIOCGBLEN)).to.not.equal(0);
      sys.ioctl(fd, BIOCSBLEN, bpf_uint(100));
      expect(get(sys, fd, BIOCGBLEN)).to.equal(100);
      sys.ioctl(fd, BIOCSETIF, ifreq("shmif0"));
      expect(codeOf(() => sys.ioctl(fd, BIOCSBLEN, bpf_uint(100)))).to.not.equal("");
    }),
  );

  net_case("bpf_ioctl_PROMISC", (w) =>
    bpf_case(w, async (sys, fd) => {
      expect(codeOf(() => sys.ioctl(fd, BIOCPROMISC))).to.not.equal("");
      sys.ioctl(fd, BIOCSETIF, ifreq("shmif0"));
      expect(await w.ok("a", "ifconfig shmif0")).to.not.contain("PROMISC");
      sys.ioctl(fd, BIOCPROMISC);
      expect(await w.ok("a", "ifconfig shmif0")).to.contain("PROMISC");
    }),
  );

  net_case("bpf_ioctl_SETIF", (w) =>
    bpf_case(w, async (sys, fd) => {
      sys.ioctl(fd, BIOCSETIF, ifreq("shmif0"));
      await w.ok("a", "ifconfig shmif1 create");
      sys.ioctl(fd, BIOCSETIF, ifreq("shmif1"));
      expect(codeOf(() => sys.ioctl(fd, BIOCSETIF, ifreq("shmif2")))).to.equal("ENXIO");
    }),
  );

  net_case("bpf_ioctl_DLT", (w) =>
    bpf_case(w, (sys, fd) => {
      expect(codeOf(() => get(sys, fd, BIOCGDLT))).to.not.equal("");
      sys.ioctl(fd, BIOCSETIF, ifreq("shmif0"));
      expect(get(sys, fd, BIOCGDLT)).to.equal(DLT_EN10MB);
      expect(codeOf(() => sys.ioctl(fd, BIOCSDLT, bpf_uint(DLT_NULL)))).to.not.equal("");
    }),
  );

  net_case("bpf_ioctl_GDLTLIST", (w) =>
    bpf_case(w, (sys, fd) => {
      expect(codeOf(() => sys.ioctl(fd, BIOCGDLTLIST, bpf_dltlist_abi(0)))).to.not.equal("");
      sys.ioctl(fd, BIOCSETIF, ifreq("shmif0"));
      const list = bpf_dltlist_abi(1);
      sys.ioctl(fd, BIOCGDLTLIST, list);
      expect([uint(list), new DataView(list.buffer).getUint32(list.length - 4, true)]).to.deep.equal([1, DLT_EN10MB]);
      const short = bpf_dltlist_abi(1);
      new DataView(short.buffer).setUint32(0, 0, true);
      expect(codeOf(() => sys.ioctl(fd, BIOCGDLTLIST, short))).to.equal("ENOMEM");
    }),
  );
});

describe("net/bpf/t_div-by-zero", () => {
  net_case("div_by_zero", (w) =>
    bpf_case(w, (sys, fd) => {
      const program = [...BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ...BPF_STMT(BPF_RET | BPF_K, 0)];
      expect(codeOf(() => sys.ioctl(fd, BIOCSETF, bpf_program_abi(program)))).to.equal("EINVAL");
    }),
  );
});
