// NetBSD tests/rump/rumpkern/t_sp: remote clients, with real processes. The kernel counts what clients leave behind when it is halted.
import { expect } from "chai";
import { rumpclient_init } from "../../../rumpsys/client/rumpclient.ts";
import { runSeed } from "../../support/mocha_hooks.ts";
import { needNative } from "../../support/need.ts";
import { RumpProcesses, start_node } from "../../support/rump_process.ts";
import type { Ended } from "../../support/rump_process.ts";
import type { sp_stress } from "../../support/sp_stress.ts";
import { codeOfAsync } from "../../rumpsys/sim_rump.ts";

const CLIENT = new URL("../../support/sp_stress.js", import.meta.url).href;
const TIMEOUT_MS = 60_000;
const PF_LOCAL = 1;
const SOCK_STREAM = 1;

describe("rump/rumpkern/t_sp", function () {
  this.timeout(TIMEOUT_MS);
  let kernels: RumpProcesses;

  before(function () {
    needNative(this);
  });

  beforeEach(async () => {
    kernels = new RumpProcesses();
    await kernels.server("sp");
  });

  afterEach(async () => {
    expect(await kernels.end()).to.deep.equal([]);
  });

  function client(
    mode: Parameters<typeof sp_stress>[0],
    argument: string = "",
    env: Readonly<Record<string, string>> = {},
  ): ReturnType<typeof start_node> {
    const program = `import { sp_stress } from ${JSON.stringify(CLIENT)}; await sp_stress(${JSON.stringify(mode)}, ${JSON.stringify(argument)});`;
    return start_node(["--input-type=module", "-e", program], { RUMP_SERVER: kernels.url("sp"), ...env });
  }

  function expectOk(list: readonly Ended[]): void {
    for (const e of list) expect(e.stderr).to.equal("");
    expect(list.map((e) => e.status)).to.deep.equal(list.map(() => 0));
  }

  async function sockets(): Promise<number> {
    const c = await rumpclient_init(kernels.url("sp"));
    const n = Number(await c.rumpSys.sysctlbyname("kern.nsockets"));
    c.close();
    return n;
  }

  it("basic", async () => {
    expectOk([await client("rounds", "1").ended]);
    expect((await kernels.run("sp", "sysctl", "-n", "kern.hostname")).stdout).to.equal("sp\n");
    expect(await sockets()).to.equal(0);
  });

  it("stress_short", async () => {
    for (let wave = 0; wave < 3; wave++)
      expectOk(await Promise.all(Array.from({ length: 6 }, () => client("rounds", "2").ended)));
    expect(await sockets()).to.equal(0);
  });

  it("stress_long", async () => {
    expectOk(await Promise.all(Array.from({ length: 3 }, () => client("rounds", "150").ended)));
    expect(await sockets()).to.equal(0);
  });

  it("stress_killer", async () => {
    let seed = runSeed;
    const killed = async (): Promise<Ended> => {
      const running = client("forever");
      await new Promise((resolve) => running.child.stdout?.once("data", resolve));
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      await new Promise((resolve) => setTimeout(resolve, seed % 60));
      running.child.kill("SIGKILL");
      return running.ended;
    };
    for (let wave = 0; wave < 3; wave++) {
      const all = await Promise.all(Array.from({ length: 4 }, killed));
      expect(all.map((e) => e.signal)).to.deep.equal(all.map(() => "SIGKILL"));
    }
    expectOk([await client("rounds", "1").ended]);
    expect(await sockets()).to.equal(0);
  });

  it("fork_simple", async () => {
    const parent = await rumpclient_init(kernels.url("sp"));
    const [mine, theirs] = await parent.rumpSys.socketpair(PF_LOCAL, SOCK_STREAM, 0);
    const cookie = Buffer.from(await parent.prefork()).toString("hex");
    const child = client("child", cookie, { SP_FD: String(theirs) });
    const buf = new Uint8Array(32);
    const n = await parent.rumpSys.read(mine, buf);
    expect(new TextDecoder().decode(buf.subarray(0, n))).to.equal("from the child");
    expectOk([await child.ended]);
    parent.close();
  });

  it("fork_fakeauth", async () => {
    const parent = await rumpclient_init(kernels.url("sp"));
    const cookie = await parent.prefork();
    const forged = cookie.slice();
    forged[3] = (forged[3] as number) ^ 0x10;
    expect(await codeOfAsync(rumpclient_init(kernels.url("sp"), { cookie: forged }))).to.equal("ESRCH");
    const child = await rumpclient_init(kernels.url("sp"), { cookie });
    expect(await codeOfAsync(rumpclient_init(kernels.url("sp"), { cookie }))).to.equal("ESRCH");
    child.close();
    parent.close();
  });

  it("reconnect", async () => {
    const c = await rumpclient_init(kernels.url("sp"), { retry: 20 });
    const [fd] = await c.rumpSys.socketpair(PF_LOCAL, SOCK_STREAM, 0);
    await kernels.kill("sp");
    const late = c.rumpSys.sysctlbyname("kern.hostname");
    late.catch(() => undefined);
    await kernels.server("sp");
    expect(await late.catch(() => c.rumpSys.sysctlbyname("kern.hostname"))).to.equal("sp");
    expect(c.reconnects).to.equal(1);
    expect(await codeOfAsync(c.rumpSys.write(fd, new Uint8Array(1)))).to.equal("EBADF");
    c.close();
  });
});
