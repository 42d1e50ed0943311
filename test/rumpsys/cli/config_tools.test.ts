import { expect } from "chai";
import { arp } from "../../../rumpsys/cli/arp.ts";
import { ifconfig } from "../../../rumpsys/cli/ifconfig.ts";
import { route } from "../../../rumpsys/cli/route.ts";
import { sysctl } from "../../../rumpsys/cli/sysctl.ts";
import { ping } from "../../../rumpsys/cli/ping.ts";
import { ToolWorld } from "./tool_world.ts";

describe("rumpsys/cli: configuration", () => {
  let w: ToolWorld;

  beforeEach(() => {
    w = new ToolWorld();
  });

  afterEach(() => {
    w.end();
  });

  it("ifconfig creates, plugs, addresses and destroys an interface, and shows it in NetBSD's form", async () => {
    expect(await w.ok("a", ifconfig, "-l")).to.equal("lo0\n");
    await w.ok("a", ifconfig, "shmif0 create");
    await w.ok("a", ifconfig, "shmif0 linkstr bus");
    await w.ok("a", sysctl, "-w net.inet.ip.dad_count=3");
    await w.ok("a", ifconfig, "shmif0 inet 10.0.0.1 netmask 0xffffff00");
    expect(await w.ok("a", ifconfig, "shmif0")).to.match(
      /\n\tinet 10\.0\.0\.1\/24 broadcast 10\.0\.0\.255 flags 0x1<TENTATIVE>\n/,
    );
    expect((await w.run("a", ifconfig, "-w 0.1")).err).to.match(/shmif0: an address is still tentative/);
    await w.ok("a", ifconfig, "-w 10");
    const shown = await w.ok("a", ifconfig, "shmif0");
    expect(shown).to.match(/^shmif0: flags=0x8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n/);
    expect(shown).to.match(
      /\n\taddress: b2:a0(:[0-9a-f]{2}){4}\n\tlinkstr: bus\n\tmedia: Ethernet autoselect\n\tstatus: active\n\tinet 10\.0\.0\.1\/24 broadcast 10\.0\.0\.255 flags 0\n$/,
    );
    await w.ok("a", ifconfig, "shmif0 mtu 1400 down");
    await w.ok("a", ifconfig, "shmif0 media none");
    expect(await w.ok("a", ifconfig, "shmif0")).to.match(
      /^shmif0: flags=0x8802<BROADCAST,SIMPLEX,MULTICAST> mtu 1400\n[^]*media: Ethernet none\n\tstatus: no carrier\n/,
    );
    expect((await w.run("a", ifconfig, "-s shmif0")).status).to.equal(1);
    await w.ok("a", ifconfig, "shmif0 destroy");
    expect(await w.ok("a", ifconfig, "-l")).to.equal("lo0\n");
  });

  it("ifconfig tells in words why it cannot plug an interface in, as the host and the console do", async () => {
    await w.ok("a", ifconfig, "virt0 create");
    expect((await w.run("a", ifconfig, "virt0 linkstr nowire")).err).to.match(
      /^ifconfig: virt0 linkstr: no wire nowire.* \([A-Z0-9]+\)/,
    );
    expect(await w.ok("a", sysctl, "-n net.interfaces.virt0.linkerror")).to.match(/nowire/);
    await w.ok("a", ifconfig, "virt0 destroy");
    expect((await w.run("a", sysctl, "net.interfaces.virt0.linkerror")).status).to.equal(1);
  });

  it("ifconfig replaces an address, adds aliases and deletes one", async () => {
    type Shown = { inet: { address: string; prefixlen: number }[] }[];
    const addresses = async (): Promise<string[]> =>
      (await w.json<Shown>("a", ifconfig, "shmif0"))[0]?.inet.map((i) => `${i.address}/${i.prefixlen}`) ?? [];
    await w.ok("a", ifconfig, "shmif0 create linkstr bus");
    await w.ok("a", ifconfig, "shmif0 10.0.0.1/24");
    await w.ok("a", ifconfig, "shmif0 10.0.0.2/24");
    expect(await addresses()).to.deep.equal(["10.0.0.2/24"]);
    await w.ok("a", ifconfig, "shmif0 10.1.0.1/16 alias");
    expect(await addresses()).to.deep.equal(["10.0.0.2/24", "10.1.0.1/16"]);
    await w.ok("a", ifconfig, "shmif0 10.0.0.2 delete");
    expect(await addresses()).to.deep.equal(["10.1.0.1/16"]);
    await w.ok("a", ifconfig, "shmif0 172.16.3.4");
    expect(await addresses()).to.deep.equal(["172.16.3.4/16"]);
  });

  const wrong: readonly [string, number, RegExp][] = [
    ["shmif0 10.0.0.256/24", 2, /"10\.0\.0\.256" is not an IPv4 address/],
    ["shmif0 10.0.0.1/33", 2, /prefix length must be a number from 0 to 32/],
    ["shmif0 10.0.0.1 netmask 255.0.255.0", 2, /has gaps/],
    ["shmif0 frobnicate", 2, /"frobnicate" is neither a word of ifconfig nor an IPv4 address/],
    ["shmif0 mtu", 2, /mtu needs a value/],
    ["shmif0 inet6 ::1", 2, /no IPv6/],
    ["-q", 2, /unknown option -q/],
    ["nope0", 1, /nope0: no such interface/],
    ["nope0 create", 1, /nope0 create: EINVAL: there is no such kind of interface/],
    ["nope0 up", 1, /nope0 up: ENXIO: no such interface/],
    ["shmif0 up", 1, /shmif0 up: ENXIO: no such interface, or it is not plugged in/],
    ["shmif0 create", 1, /shmif0 create: EEXIST: it is there already/],
    ["nope0 10.0.0.1/24", 1, /nope0: no such interface/],
    ["lo0 mtu 1", 1, /lo0 mtu 1: EINVAL: /],
    ["shmif0 224.0.0.1/24", 1, /shmif0 224\.0\.0\.1: E/],
  ];
  for (const [args, status, message] of wrong) {
    it(`ifconfig ${args}: says what is wrong`, async () => {
      await w.ok("a", ifconfig, "shmif0 create");
      const r = await w.run("a", ifconfig, args);
      expect(r.status).to.equal(status);
      expect(r.err).to.match(message);
    });
  }

  it("route adds, shows, gets, changes, deletes and flushes", async () => {
    await w.routed();
    expect(await w.ok("a", route, "add -net 10.7.0.0/16 10.0.1.1")).to.equal("add net 10.7.0.0/16: gateway 10.0.1.1\n");
    expect(await w.ok("a", route, "add -host 10.9.9.9 10.0.1.1 -mtu 1000")).to.equal(
      "add host 10.9.9.9: gateway 10.0.1.1\n",
    );
    const shown = await w.ok("a", route, "-n show");
    expect(shown).to.match(/^Routing tables\n\nInternet:\nDestination +Gateway +Flags +Refs +Use +Mtu +Interface\n/);
    expect(shown).to.match(/\ndefault +10\.0\.1\.1 +UGS +- +- +- +shmif0\n/);
    expect(shown).to.match(/\n10\.0\.1\.0\/24 +link#2 +UC +/);
    expect(shown).to.match(/\n10\.9\.9\.9 +10\.0\.1\.1 +UGHS +- +- +1000 +shmif0\n/);
    const got = await w.ok("a", route, "get 10.9.9.9");
    expect(got).to.match(
      /^ {3}route to: 10\.9\.9\.9\ndestination: 10\.9\.9\.9\n {4}gateway: 10\.0\.1\.1\n local addr: 10\.0\.1\.2\n {2}interface: shmif0\n {6}flags: 0x847<UP,GATEWAY,HOST,DONE,STATIC>\n/,
    );
    await w.ok("a", route, "change -host 10.9.9.9 10.0.1.1 -mtu 900");
    expect(await w.ok("a", route, "get 10.9.9.9")).to.match(/ 900 +0 \n$/);
    expect(await w.ok("a", route, "delete 10.9.9.9")).to.equal("delete host 10.9.9.9\n");
    expect(await w.run("a", route, "delete 10.9.9.9")).to.deep.equal({
      status: 1,
      out: "",
      err: "delete host 10.9.9.9: not in table",
    });
    expect(await w.ok("a", route, "flush")).to.match(
      /default +10\.0\.1\.1 +done\n10\.7\.0\.0\/16 +10\.0\.1\.1 +done\n/,
    );
    expect((await w.run("a", route, "get 10.2.2.2")).status).to.equal(1);
  });

  it("route says what is wrong with its words", async () => {
    for (const [args, message] of [
      ["", /a command is missing/],
      ["frob 1.2.3.4", /unknown command "frob"/],
      ["add", /a destination is missing/],
      ["add 10.0.0.0/8", /a gateway is missing/],
      ["add -host 10.0.0.0/8 1.2.3.4", /a host has no mask/],
      ["add 10.0.0.1/8 1.2.3.4", /bits set beyond its mask/],
      ["add default here", /gateway "here" is not an IPv4 address/],
      ["add default 1.2.3.4 -mtu", /-mtu needs a value/],
      ["add default -interface nope0", /nope0: no such interface/],
    ] as const) {
      const r = await w.run("a", route, args);
      expect(r.err, args).to.match(message);
      expect(r.status, args).to.be.oneOf([1, 2]);
    }
  });

  it("route monitor prints what happens to routes, addresses and interfaces", async () => {
    const lines = await w.during("a", route, "monitor", async () => {
      await w.ok("a", ifconfig, "shmif0 create");
      await w.ok("a", ifconfig, "shmif0 linkstr bus");
      await w.ok("a", ifconfig, "shmif0 10.0.0.1/24");
      await w.ok("a", route, "add -net 10.7.0.0/16 10.0.0.9");
      await w.ok("a", route, "delete -net 10.7.0.0/16");
      await w.ok("a", ifconfig, "shmif0 destroy");
    });
    for (const message of [
      /^RTM_IFANNOUNCE if shmif0 what arrival/,
      /^RTM_NEWADDR if shmif0 .*ifa 10\.0\.0\.1/,
      /^RTM_IFINFO if shmif0 flags <UP,/,
      /^RTM_ADD .*dst 10\.7\.0\.0 gateway 10\.0\.0\.9 netmask 255\.255\.0\.0/,
      /^RTM_DELETE .*dst 10\.7\.0\.0/,
      /^RTM_DELADDR if #?\w+ .*ifa 10\.0\.0\.1/,
      /^RTM_IFANNOUNCE if shmif0 what departure/,
    ])
      expect(
        lines.some((line) => message.test(line)),
        `${message}\n${lines.join("\n")}`,
      ).to.equal(true);
  });

  it("arp shows who was heard, and keeps what it is told", async () => {
    await w.routed();
    await w.ok("a", ping, "-c 1 10.0.1.1");
    expect(await w.ok("a", arp, "-n -a")).to.match(
      /^10\.0\.1\.1 \(10\.0\.1\.1\) at b2:a0(:[0-9a-f]{2}){4} on shmif0 expires in \d+ seconds\n$/,
    );
    await w.ok("a", arp, "-s 10.0.1.9 02:00:00:00:00:09");
    expect(await w.ok("a", arp, "10.0.1.9")).to.equal("10.0.1.9 (10.0.1.9) at 02:00:00:00:00:09 on shmif0 permanent\n");
    await w.ok("a", arp, "-s 10.0.1.8 02:00:00:00:00:08 temp");
    expect(await w.ok("a", arp, "10.0.1.8")).to.match(/on shmif0 expires in (1200|1199) seconds\n$/);
    await w.ok("a", arp, "-s 10.0.1.7 02:00:00:00:00:07 pub");
    expect(await w.ok("a", arp, "10.0.1.7")).to.match(/ permanent published\n$/);
    expect(await w.ok("a", arp, "-d 10.0.1.9")).to.equal("10.0.1.9 (10.0.1.9) deleted\n");
    expect(await w.run("a", arp, "-d 10.0.1.9")).to.deep.equal({
      status: 1,
      out: "",
      err: "delete: cannot locate 10.0.1.9",
    });
    expect(await w.run("a", arp, "10.0.1.9")).to.deep.equal({
      status: 1,
      out: "10.0.1.9 (10.0.1.9) -- no entry\n",
      err: "",
    });
    expect(await w.json<unknown[]>("a", arp, "-d -a")).to.deep.include({ address: "10.0.1.7", deleted: true });
    expect(await w.json<unknown[]>("a", arp, "-a")).to.deep.equal([]);
    expect((await w.run("a", arp, "-s 99.9.9.9 02:00:00:00:00:09")).err).to.match(/on no network of ours/);
    expect((await w.run("a", arp, "-s 10.0.1.9 zz")).status).to.equal(2);
  });

  it("sysctl reads, describes, lists and sets", async () => {
    expect(await w.ok("a", sysctl, "net.inet.ip.ttl")).to.equal("net.inet.ip.ttl = 64\n");
    expect(await w.ok("a", sysctl, "-n net.inet.ip.ttl")).to.equal("64\n");
    expect(await w.ok("a", sysctl, "-w net.inet.ip.ttl=10")).to.equal("net.inet.ip.ttl: 64 -> 10\n");
    expect(await w.ok("a", sysctl, "kern.hostname=other")).to.equal("kern.hostname: a -> other\n");
    expect(await w.ok("a", sysctl, "-d net.inet.ip.ttl")).to.match(/^net\.inet\.ip\.ttl: [A-Z]/);
    const all = await w.ok("a", sysctl, "-a");
    for (const name of ["kern.ostype", "net.inet.ip.forwarding", "hw.ncpu"])
      expect(all).to.contain(`\n${name} = `.slice(name === "kern.ostype" ? 1 : 0));
    for (const [args, message] of [
      ["kern.nothing", /no such node/],
      ["-w net.inet.ip.ttl=0", /EINVAL: 0 is refused/],
      ["-w net.inet.ip.ttl=many", /not a whole number/],
      ["-w kern.ostype=x", /EPERM: it can only be read/],
      ["-w net.inet.ip.stats=1", /only numbers and strings/],
    ] as const) {
      const r = await w.run("a", sysctl, args);
      expect(r.err, args).to.match(message);
      expect(r.status, args).to.not.equal(0);
    }
  });
});
