// docs/counters.md lists every counter of a booted kernel with its reason, which is the comment at the constant that the code counts by.
import { expect } from "chai";
import ts from "typescript";
import { sources } from "../repo/source_tree.ts";
import { withKernel } from "./booted_kernel.ts";
import { expectGenerated, SOURCES_TIMEOUT_MS, table } from "./generated.ts";

/** One group of counters. */
interface Group {
  /** As netstat -s and kern.evcnt call it. */
  readonly name: string;
  /** What it is about. */
  readonly about: string;
  /** Where its constants are, and how they begin. */
  readonly file: string;
  readonly prefix: string;
  /** Constants after which a packet is gone, without the prefix. All others count events. */
  readonly drops: readonly string[];
}

const GROUPS: readonly Group[] = [
  {
    name: "net",
    about: "link layer, whichever the interface",
    file: "kernel-components/net/net.ts",
    prefix: "NETS_",
    drops: [
      "VLAN",
      "RUNT",
      "NOTFORUS",
      "MCASTFILTER",
      "OWNSOURCE",
      "NOPROTO",
      "GIANT",
      "IFDOWN",
      "NOBUF",
      "ODOWN",
      "OREJECT",
      "PFIL",
      "LOQDROP",
      "OAF",
      "BADGSO",
      "LLC",
    ],
  },
  {
    name: "IF",
    about: "one group an interface, called as it is",
    file: "kernel-components/net/if_flags.ts",
    prefix: "IFD_",
    drops: ["IERRORS", "OERRORS", "IQDROPS", "OQDROPS"],
  },
  {
    name: "arp",
    about: "ARP",
    file: "kernel-components/inet/arp_stat.ts",
    prefix: "ARPS_",
    drops: [
      "RCVBADPROTO",
      "RCVBADLEN",
      "RCVZEROTPA",
      "RCVNOINT",
      "RCVLOCALSHA",
      "RCVBCASTSHA",
      "RCVOVERPERM",
      "RCVOVERINT",
      "DFRDROPPED",
      "ALLOCFAIL",
      "RCVIGNORED",
      "RCVNOIF",
      "RCVBADOP",
      "RCVBADADDR",
    ],
  },
  {
    name: "ip",
    about: "IPv4",
    file: "kernel-components/inet/ip_stat.ts",
    prefix: "IPS_",
    drops: [
      "BADSUM",
      "TOOSHORT",
      "TOOSMALL",
      "BADHLEN",
      "BADLEN",
      "FRAGDROPPED",
      "FRAGTIMEOUT",
      "CANTFORWARD",
      "NOPROTO",
      "ODROPPED",
      "CANTFRAG",
      "BADOPTIONS",
      "NOROUTE",
      "BADVERS",
      "BADFRAGS",
      "RCVMEMDROP",
      "TOOLONG",
      "NOGIF",
      "BADADDR",
      "NOL2TP",
      "PFILDROP_IN",
      "PFILDROP_OUT",
      "NOIF",
      "TTLEXPIRED",
      "OVERLAPFRAGS",
      "LLBCAST",
      "SRCROUTE",
      "BCASTDENIED",
      "DIRBCAST",
      "NOTMEMBER",
      "BADSRCROUTE",
      "MINTTL",
      "RTREJECT",
      "IADOWN",
    ],
  },
  {
    name: "icmp",
    about: "ICMP",
    file: "kernel-components/inet/icmp_stat.ts",
    prefix: "ICPS_",
    drops: [
      "OLDSHORT",
      "OLDICMP",
      "BADCODE",
      "TOOSHORT",
      "CHECKSUM",
      "BADLEN",
      "BMCASTECHO",
      "BMCASTTSTAMP",
      "THROTTLED",
      "OLDBCAST",
      "BADREDIRECT",
      "NOREFLECT",
      "BADPMTU",
      "NOMEM",
      "NOMASK",
    ],
  },
  {
    name: "igmp",
    about: "IGMP",
    file: "kernel-components/inet/igmp_stat.ts",
    prefix: "IGPS_",
    drops: ["RCV_TOOSHORT", "RCV_BADSUM", "RCV_BADQUERIES", "RCV_BADREPORTS", "SND_NOMEM", "RCV_BADTTL"],
  },
  {
    name: "udp",
    about: "UDP",
    file: "kernel-components/inet/udp_stat.ts",
    prefix: "UDPS_",
    drops: ["HDROPS", "BADSUM", "BADLEN", "NOPORT", "NOPORTBCAST", "FULLSOCK", "BADPORT"],
  },
  {
    name: "socket",
    about: "the sockets layer",
    file: "kernel-components/socket/socketvar.ts",
    prefix: "SOS_",
    drops: ["QFULL", "RCVFULL"],
  },
  {
    name: "mbuf",
    about: "the pools; what is denied is a want of memory that its caller counts as a drop, under a reason of its own",
    file: "kernel-components/kern/mbuf.ts",
    prefix: "MBS_",
    drops: [],
  },
];

/** Constants that say how many, not which. */
const SIZES: ReadonlySet<string> = new Set(["NETS_COUNT", "IFD_COUNT", "ICPS_HISTLEN", "MBS_N"]);

interface Counter {
  readonly constant: string;
  readonly index: number;
  readonly reason: string;
}

describe("docs/counters.md", function () {
  this.timeout(SOURCES_TIMEOUT_MS);

  it("lists every counter of a booted kernel with its reason", () => {
    const text = withKernel((rk) => {
      const groups = new Map(rk.k.evcnts.list().map(({ ev_group, ev_names }) => [ev_group, ev_names] as const));
      const unknown = [...groups.keys()].filter(
        (name) => !/^[a-z]+\d+$/.test(name) && !GROUPS.some((group) => group.name === name),
      );
      expect(unknown, "groups of counters that the page does not have").to.deep.equal([]);
      return GROUPS.map((group) => section(group, groups.get(group.name === "IF" ? "lo0" : group.name) ?? [])).join(
        "\n\n",
      );
    });
    expectGenerated("docs/counters.md", "counters", text);
  });

  it("knows only drops that there are", () => {
    for (const group of GROUPS) {
      const constants = counters(group).map(({ constant }) => constant);
      expect(
        group.drops.filter((name) => !constants.includes(group.prefix + name)),
        group.name,
      ).to.deep.equal([]);
    }
  });

  it("a drop is never counted under two names: each place that counts uses one constant", () => {
    const twice = sources("kernel-components/").flatMap(({ path, text }) =>
      [...text.matchAll(/stat\[[A-Z]+_[A-Z_]+\]\+\+;\s*\S*stat\[([A-Z]+_)([A-Z_]+)\]\+\+/g)]
        .filter(([all]) =>
          [...all.matchAll(/\[([A-Z]+_)([A-Z_]+)\]/g)].every(([, prefix, name]) => isDrop(prefix ?? "", name ?? "")),
        )
        .map(([all]) => `${path}: ${all}`),
    );
    expect(twice).to.deep.equal([]);
  });
});

function isDrop(prefix: string, name: string): boolean {
  return GROUPS.some((group) => group.prefix === prefix && group.drops.includes(name));
}

function section(group: Group, names: readonly string[]): string {
  expect(names, `the kernel has no counters ${group.name}`).not.to.have.length(0);
  const all = counters(group);
  const rows = all.map(({ constant, index, reason }, i) => {
    const next = all[i + 1]?.index ?? names.length;
    const name = next - index > 1 ? `\`${names[index]}\` ... \`${names[next - 1]}\`` : `\`${names[index]}\``;
    const drop = group.drops.includes(constant.slice(group.prefix.length)) ? "drop" : "";
    return [name, drop, isCounted(group, constant) ? reason : `${reason} Always 0: kept for NetBSD's numbers.`];
  });
  return `## ${group.name}: ${group.about}\n\n${table(["counter", "", "what is counted"], rows)}`;
}

/** The constants of a group in the order of its block. */
function counters({ file, prefix }: Group): Counter[] {
  const [source] = sources(file);
  const base = new Map<string, number>();
  const found: Counter[] = [];
  for (const statement of source?.tree.statements ?? []) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      const constant = name.getText();
      if (!constant.startsWith(prefix) || initializer === undefined) continue;
      const index = sum(initializer.getText(), base);
      base.set(constant, index);
      if (!Number.isNaN(index) && !SIZES.has(constant)) found.push({ constant, index, reason: comment(statement) });
    }
  }
  return found.sort((a, b) => a.index - b.index);
}

/** The value of a number, a constant, or a sum of them. */
function sum(text: string, known: ReadonlyMap<string, number>): number {
  return text.split("+").reduce((total, part) => total + (known.get(part.trim()) ?? Number(part)), 0);
}

function comment(statement: ts.Statement): string {
  const text = ts
    .getJSDocCommentsAndTags(statement)
    .map((doc) => (typeof doc.comment === "string" ? doc.comment : ""))
    .join(" ")
    .replace(/^(Index (in|into) [a-z_]+|Indices of .*?): /i, "");
  return /^[a-z]+_/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** Whether a constant is used where it is not declared: in another file, or twice in its own. */
function isCounted({ file }: Group, constant: string): boolean {
  const uses = constantUses();
  const own = uses.get(`${file} ${constant}`) ?? 0;
  return (uses.get(constant) ?? 0) > own || (own > 1 && !file.endsWith("_stat.ts"));
}

let counted: Map<string, number> | undefined;

/** How often each constant of all groups occurs: in all sources, and (by "file constant") in one. */
function constantUses(): ReadonlyMap<string, number> {
  if (counted !== undefined) return counted;
  const uses = new Map<string, number>();
  const add = (key: string): Map<string, number> => uses.set(key, (uses.get(key) ?? 0) + 1);
  const word = new RegExp(`\\b(?:${GROUPS.map(({ prefix }) => prefix).join("|")})\\w+`, "g");
  for (const { path, text } of sources("kernel-components/", "drivers/", "rumpsys/")) {
    for (const [constant] of text.matchAll(word)) {
      add(constant);
      add(`${path} ${constant}`);
    }
  }
  counted = uses;
  return uses;
}
