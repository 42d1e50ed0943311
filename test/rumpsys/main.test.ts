// The package as a person who installed it sees it.
import { expect } from "chai";

describe("package rumpkit", () => {
  it("boots a kernel from the names of its front door, without anything native", async () => {
    const { rump_init, simWorld, PF_INET, SOCK_DGRAM, RumpError } = await import("rumpkit");
    const rump = await rump_init({ host: simWorld().host("a") });
    const s = rump.rumpSys.socket(PF_INET, SOCK_DGRAM, 0);
    rump.rumpSys.bind(s, { family: "inet", address: "127.0.0.1", port: 53 });
    expect(rump.rumpSys.getsockname(s)).to.deep.equal({ family: "inet", address: "127.0.0.1", port: 53 });
    expect(() => rump.rumpSys.sync.close(99)).to.throw(RumpError, /EBADF/);
    await rump.rumpSys.close(s);
    expect(rump.shutdown().text).to.equal("");
  });

  it("gives deeper parts by their path", async () => {
    const { m_getcl } = await import("rumpkit/kernel-components/kern/mbuf_alloc");
    expect(m_getcl).to.be.a("function");
  });
});
