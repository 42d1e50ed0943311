// docs/rfc-index.md is made from the citations in the sources: which part of which RFC is where.
import { expect } from "chai";
import { sources } from "../repo/source_tree.ts";
import { expectGenerated, SOURCES_TIMEOUT_MS, table } from "./generated.ts";

/** Titles, in our short form. A citation of an RFC that is not here fails the test. */
const TITLES: ReadonlyMap<number, string> = new Map([
  [768, "User Datagram Protocol"],
  [781, "Timestamp option of IPv4"],
  [791, "Internet Protocol"],
  [792, "Internet Control Message Protocol"],
  [815, "Reassembly algorithms"],
  [826, "Address Resolution Protocol"],
  [862, "Echo protocol"],
  [894, "IPv4 over Ethernet"],
  [903, "Reverse ARP"],
  [950, "Subnetting; address mask messages"],
  [1042, "IPv4 over IEEE 802 networks"],
  [1071, "Computing the internet checksum"],
  [1108, "Security options of IPv4"],
  [1112, "Host extensions for multicasting"],
  [1122, "Requirements for hosts: communication layers"],
  [1141, "Incremental updating of the checksum"],
  [1191, "Path MTU discovery"],
  [1256, "ICMP router discovery"],
  [1393, "Traceroute by an IP option"],
  [1475, "TP/IX"],
  [1624, "Incremental updating of the checksum, corrected"],
  [1812, "Requirements for IPv4 routers"],
  [1918, "Private addresses"],
  [2018, "TCP selective acknowledgment options"],
  [2113, "Router alert option"],
  [2236, "IGMP version 2"],
  [2385, "TCP MD5 signature option"],
  [2390, "Inverse ARP"],
  [2464, "IPv6 over Ethernet"],
  [2474, "Differentiated services field"],
  [3021, "31-bit prefixes on point-to-point links"],
  [3168, "Explicit congestion notification"],
  [3376, "IGMP version 3"],
  [3629, "UTF-8"],
  [3810, "MLD version 2"],
  [3927, "IPv4 link-local addresses"],
  [4291, "IPv6 addressing"],
  [4443, "ICMPv6"],
  [4861, "Neighbor discovery of IPv6"],
  [5227, "IPv4 address conflict detection"],
  [5722, "Handling of overlapping IPv6 fragments"],
  [5771, "IANA guidelines for IPv4 multicast addresses"],
  [5927, "ICMP attacks against TCP"],
  [5952, "Text form of IPv6 addresses"],
  [6056, "Port randomization"],
  [6274, "Security assessment of IPv4"],
  [6633, "Deprecation of ICMP source quench"],
  [6864, "The IPv4 identification field, updated"],
  [7323, "TCP extensions for high performance"],
  [7739, "Predictable fragment identifications"],
  [8200, "Internet Protocol version 6"],
  [8439, "ChaCha20 and Poly1305"],
  [9293, "Transmission Control Protocol"],
]);

/** A citation with any number of sections: `RFC 792`, `RFC 5227 §2.1.1`, `RFC 1122 §3.2.1.3, §3.3.6`. */
const CITATION = /\bRFC (\d{3,5})((?:,? (?:and )?§[\w.]*\w)*)/g;

describe("docs/rfc-index.md", function () {
  this.timeout(SOURCES_TIMEOUT_MS);

  it("is what the sources cite", () => {
    expectGenerated("docs/rfc-index.md", "rfc-index", page());
  });

  it("understands a citation (the rule itself is tested)", () => {
    expect(citations("RFC 791, RFC 1122 §3.2.1.3 and §3.3.6. As RFC 5227 §2.1.1, too")).to.deep.equal([
      [791, ""],
      [1122, "§3.2.1.3"],
      [1122, "§3.3.6"],
      [5227, "§2.1.1"],
    ]);
  });
});

function citations(text: string): [number, string][] {
  return [...text.matchAll(CITATION)].flatMap(([, rfc, list]): [number, string][] => {
    const parts = [...(list ?? "").matchAll(/§[\w.]*\w/g)].map(([part]) => part);
    return (parts.length === 0 ? [""] : parts).map((part) => [Number(rfc), part]);
  });
}

/** RFC -> section -> files. */
function cited(): Map<number, Map<string, Set<string>>> {
  const found = new Map<number, Map<string, Set<string>>>();
  for (const { path, text } of sources("hypercall/", "kernel-components/", "drivers/", "rumpsys/", "compat/")) {
    for (const [rfc, part] of citations(text)) {
      const parts = found.get(rfc) ?? new Map<string, Set<string>>();
      found.set(rfc, parts.set(part, (parts.get(part) ?? new Set()).add(path)));
    }
  }
  return found;
}

function page(): string {
  const all = [...cited()].sort(([a], [b]) => a - b);
  const untitled = all.filter(([rfc]) => !TITLES.has(rfc)).map(([rfc]) => `RFC ${rfc}`);
  expect(untitled, "add their titles to TITLES in test/docs/rfc_index.test.ts").to.deep.equal([]);
  return all
    .map(([rfc, parts]) => {
      const rows = [...parts]
        .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
        .map(([part, files]) => [
          part === "" ? "as a whole" : part,
          [...files]
            .sort()
            .map((path) => link(path))
            .join(", "),
        ]);
      return `## RFC ${rfc}: ${TITLES.get(rfc)}\n\n${table(["section", "where"], rows)}`;
    })
    .join("\n\n");
}

function link(path: string): string {
  return `[${path.replace(/^kernel-components\//, "").replace(/\.ts$/, "")}](../${path})`;
}
