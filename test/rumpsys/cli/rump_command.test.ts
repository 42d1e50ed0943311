// The command `rump` as people run it: exit statuses, signals, sockets, processes that die.
import { spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { bus_pcap, bus_view } from "../../../rumpsys/cli/dumpbus.ts";
import { pcap_frames } from "../../../rumpsys/cli/pcapin.ts";
import { rumpclient_init } from "../../../rumpsys/client/rumpclient.ts";
import { needNative, needRoot } from "../../support/need.ts";
import { RUMP, type Running, RumpProcesses, start_node } from "../../support/rump_process.ts";

const TIMEOUT_MS = 60_000;
const NOBODY = 65_534;

async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 250; i++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

describe("the command rump", function () {
  this.timeout(TIMEOUT_MS);
  let kernels: RumpProcesses;

  before(function () {
    needNative(this);
  });

  beforeEach(() => {
    kernels = new RumpProcesses();
  });

  afterEach(async () => {
    expect(await kernels.end()).to.deep.equal([]);
  });

  it("says 2 for wrong arguments, 3 when no kernel is there", async () => {
    const cases: readonly [readonly string[], number, RegExp][] = [
      [["frobnicate"], 2, /unknown command/],
      [["server"], 2, /missing required argument 'url'/],
      [["server", "tcp://1.2.3.4:5/"], 2, /a kernel is reached at unix:\/\/path/],
      [["server", "-c", "2", "unix://x"], 2, /one CPU/],
      [["server", "-l", "nfs", "unix://x"], 2, /-l nfs: no such component/],
      [["server", "--if", "shmif0=bus,10.0.0.1", "unix://x"], 2, /--if shmif0=bus,10\.0\.0\.1: IF\[=LINKSTR\]/],
      [["server", "--with-parent", "unix://x"], 2, /goes with -s/],
      [["server", "unix:///no/such/folder/x"], 3, /ENOENT|EACCES/],
      [["ping", "1.2.3.4"], 3, /which kernel\? set RUMP_SERVER/],
      [["--server", "unix://none", "ifconfig"], 3, /no kernel is there; start one with: rump server/],
      [["--server", "tcp://1.2.3.4:5", "ifconfig"], 2, /--server: "tcp:.*is reached at unix:\/\/path$/m],
      [["server", "--if", "shmif0=bus,256.0.0.1/24", "unix://x"], 2, /"256\.0\.0\.1" is not an IPv4 address/],
      [["server", "--if", "shmif0=bus,10.0.0.1/33", "unix://x"], 2, /prefix length must be .* 32, not "33"/],
      [["dumpbus", "none"], 3, /ENOENT/],
      [["dumpbus"], 2, /which bus\?[^]*usage: rump dumpbus/],
      [["--version"], 0, /^$/],
    ];
    const ends = await Promise.all(cases.map(([args]) => kernels.run("", ...args)));
    cases.forEach(([args, status, message], i) => {
      expect(ends[i]?.stderr, args.join(" ")).to.match(message);
      expect(ends[i]?.status, args.join(" ")).to.equal(status);
    });
  });

  it("serves until a signal comes, and leaves no socket", async () => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
      const { child, ended } = await kernels.server("k");
      expect(statSync(join(kernels.dir, "k")).mode & 0o777).to.equal(0o600);
      child.kill(signal);
      expect(await ended).to.include({ status: 0, signal: null });
      expect(existsSync(join(kernels.dir, "k"))).to.equal(false);
      await kernels.kill("k");
    }
  });

  it("halts a kernel for a client", async () => {
    const { ended } = await kernels.server("k");
    expect(await kernels.run("k", "halt", "--json")).to.include({
      status: 0,
      stdout: `{"halted":"${kernels.url("k")}"}\n`,
    });
    expect((await ended).stderr).to.contain("nothing leaked");
    await kernels.kill("k");
  });

  it("takes over the socket of a kernel that was killed, but not a live one's, nor a file", async () => {
    await kernels.server("k");
    await kernels.kill("k");
    expect(existsSync(join(kernels.dir, "k"))).to.equal(true);
    await kernels.server("k");
    const second = await kernels.run("", "server", "-s", kernels.url("k"));
    expect(second).to.include({ status: 3 });
    expect(second.stderr).to.contain("a live server has it");
    writeFileSync(join(kernels.dir, "file"), "mine");
    expect((await kernels.run("", "server", "-s", kernels.url("file"))).stderr).to.contain("exists and is no socket");
    expect((await kernels.run("k", "sysctl", "-n", "kern.hostname")).stdout).to.equal("k\n");
  });

  it("goes into the background, and comes back when the kernel is live", async () => {
    const started = await kernels.run("", "server", "--name", "daemon", kernels.url("d"));
    expect(started).to.include({ status: 0, stdout: "", stderr: "" });
    const client = await rumpclient_init(kernels.url("d"));
    expect(await client.rumpSys.sysctlbyname("kern.hostname")).to.equal("daemon");
    await client.rumpSys.reboot();
    client.close();
    for (let i = 0; i < 250 && existsSync(join(kernels.dir, "d")); i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(existsSync(join(kernels.dir, "d"))).to.equal(false);
  });

  it("leaves the message of a kernel that crashed in the background beside its socket", async () => {
    const crash = join(kernels.dir, "crash.cjs");
    writeFileSync(
      crash,
      `if (process.env.RUMPKIT_DAEMON_FD) require("node:fs").writeFileSync("pid", String(process.pid));
       process.on("SIGUSR2", () => { throw new Error("so it ended"); });`,
    );
    const node_options = process.env["NODE_OPTIONS"];
    process.env["NODE_OPTIONS"] = `${node_options ?? ""} --require ${crash}`;
    try {
      expect((await kernels.run("", "server", kernels.url("p"))).status).to.equal(0);
    } finally {
      if (node_options === undefined) delete process.env["NODE_OPTIONS"];
      else process.env["NODE_OPTIONS"] = node_options;
    }
    const log = join(kernels.dir, "p.log");
    expect(statSync(log).mode & 0o777).to.equal(0o600);
    process.kill(Number(readFileSync(join(kernels.dir, "pid"), "utf8")), "SIGUSR2");
    for (let i = 0; i < 250 && statSync(log).size === 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(readFileSync(log, "utf8")).to.match(/Error: so it ended/);
  });

  it("ends with its parent when it is asked to, however the parent ends", async () => {
    const program = `
      import { spawn } from "node:child_process";
      const child = spawn(process.execPath, [${JSON.stringify(RUMP)}, "server", "-s", "--with-parent", ${JSON.stringify(kernels.url("orphan"))}], { stdio: "ignore" });
      process.stdout.write(child.pid + "\\n");
      setInterval(() => {}, 1000);`;
    const parent = start_node(["--input-type=module", "-e", program]);
    const pid = Number(
      await new Promise<string>((resolve) => parent.child.stdout?.once("data", (b: Buffer) => resolve(b.toString()))),
    );
    for (let i = 0; i < 500 && !existsSync(join(kernels.dir, "orphan")); i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    parent.child.kill("SIGKILL");
    await parent.ended;
    expect(await gone(pid)).to.equal(true);
    expect(existsSync(join(kernels.dir, "orphan"))).to.equal(false);
  });

  it("turns away another user, even one who can reach the socket", async function () {
    needRoot(this);
    await kernels.server("k");
    chmodSync(kernels.dir, 0o755);
    const knock = async (): Promise<string> => {
      const program = `
        import { connect } from "node:net";
        const s = connect(${JSON.stringify(join(kernels.dir, "k"))});
        s.on("error", (e) => console.log(e.code)).on("data", (b) => console.log(String(b).slice(0, 6))).on("end", () => console.log("end"));`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
        uid: NOBODY,
        gid: NOBODY,
        cwd: "/",
        stdio: ["ignore", "pipe", "inherit"],
      });
      let out = "";
      child.stdout.on("data", (b: Buffer) => (out += b.toString()));
      await new Promise((resolve) => child.on("close", resolve));
      return out.trim();
    };
    expect(await knock()).to.equal("EACCES");
    chmodSync(join(kernels.dir, "k"), 0o666);
    expect(await knock()).to.be.oneOf(["end", "ECONNRESET"]);
    expect((await kernels.run("k", "sysctl", "-n", "kern.hostname")).stdout).to.equal("k\n");
  });

  it("ends a client whose policy is die with its kernel, and fails the call of any other", async () => {
    await kernels.server("k");
    const ping = (policy: string): Running =>
      start_node([RUMP, "ping", "-i", "0.05", "127.0.0.1"], {
        RUMP_SERVER: kernels.url("k"),
        RUMPHIJACK_RETRYCONNECT: policy,
      });
    const both = [ping("die"), ping("once")] as const;
    await Promise.all(both.map(({ child }) => new Promise((resolve) => child.stdout?.once("data", resolve))));
    await kernels.kill("k");
    const [die, once] = await Promise.all(both.map(({ ended }) => ended));
    expect(die).to.include({ status: 1, stderr: "" });
    expect(once?.status).to.equal(1);
    expect(once?.stderr).to.match(/^ping: \w+ (ECONNRESET|ECONNREFUSED|ENOENT) /);
  });

  it("stops pinging at an interrupt and prints the summary", async () => {
    await kernels.server("k");
    const { child, ended } = start_node([RUMP, "ping", "-i", "0.05", "127.0.0.1"], { RUMP_SERVER: kernels.url("k") });
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill("SIGINT");
    const e = await ended;
    expect(e.status).to.equal(0);
    expect(e.stdout).to.match(/----127\.0\.0\.1 PING Statistics----\n\d+ packets transmitted, \d+ packets received, /);
  });

  it("dumps a bus as pcap and puts it on another", async () => {
    const [bus, copy, file] = ["bus", "copy", "seen.pcap"].map((name) => join(kernels.dir, name)) as [
      string,
      string,
      string,
    ];
    await kernels.server("a", "--if", `shmif0=${bus},10.0.0.1/24`);
    await kernels.server("b", "--if", `shmif0=${bus},10.0.0.2/24`);
    expect((await kernels.run("a", "ping", "-q", "-c", "3", "-i", "0.01", "10.0.0.2")).status).to.equal(0);
    expect((await kernels.run("", "dumpbus", "-p", file, bus)).status).to.equal(0);
    const sent = bus_view(bus).records.map((r) => Buffer.from(r.data).toString("hex"));
    expect(sent.length).to.be.at.least(8);
    expect(pcap_frames(file).map((f) => Buffer.from(f).toString("hex"))).to.deep.equal(sent);
    expect((await kernels.run("", "pcapin", "--json", file, copy)).stdout).to.equal(
      `{"frames":${sent.length},"bus":"${copy}"}\n`,
    );
    expect(bus_view(copy).records.map((r) => Buffer.from(r.data).toString("hex"))).to.deep.equal(sent);
    expect(bus_pcap(bus_view(copy).records).length).to.equal(bus_pcap(bus_view(bus).records).length);
    const view = JSON.parse((await kernels.run("", "dumpbus", "--json", bus)).stdout) as { frames: { text: string }[] };
    expect(view.frames.some((f) => f.text.includes("10.0.0.1 > 10.0.0.2: ICMP echo request"))).to.equal(true);
  });
});
