// docs/man/sysctl.7.md lists every sysctl of a booted kernel, and nothing else.
import { expect } from "chai";
import type { SysctlNode, SysctlTree } from "../../kernel-components/kern/sysctl.ts";
import { bytes_to_number, bytes_to_string } from "../../kernel-components/kern/sysctl_bytes.ts";
import {
  CTLTYPE_BOOL,
  CTLTYPE_INT,
  CTLTYPE_QUAD,
  CTLTYPE_STRING,
  CTLTYPE_STRUCT,
} from "../../kernel-components/kern/sysctl_mib.ts";
import { withKernel } from "./booted_kernel.ts";
import { expectGenerated, table } from "./generated.ts";

const TYPES: ReadonlyMap<number, string> = new Map([
  [CTLTYPE_INT, "int"],
  [CTLTYPE_QUAD, "quad"],
  [CTLTYPE_BOOL, "bool"],
  [CTLTYPE_STRING, "string"],
  [CTLTYPE_STRUCT, "struct"],
]);

/** One quad for each counter of the group mbuf, which docs/counters.md lists. */
const MBUF_COUNTS = "kern.mbuf.count.";

describe("sysctl(7)", () => {
  it("lists what a booted kernel offers, with its defaults", () => {
    expectGenerated(
      "docs/man/sysctl.7.md",
      "sysctl",
      withKernel((rk) => page(nodes(rk.k.sysctl))),
    );
  });

  it("every node says what it is", () => {
    withKernel((rk) => {
      const bare = nodes(rk.k.sysctl).filter((node) => node.sysctl_desc.trim() === "");
      expect(bare.map((node) => node.path())).to.deep.equal([]);
    });
  });
});

/** Nodes that answer: values, and subtrees with a handler. */
function nodes(tree: SysctlTree): SysctlNode[] {
  tree.list(); // components fill the tree in when it is first looked at
  const found: SysctlNode[] = [];
  const visit = (node: SysctlNode): void => {
    if (node.value !== null || node.handler !== null) found.push(node);
    for (const child of node.sysctl_child) visit(child);
  };
  visit(tree.root);
  return found;
}

function page(all: readonly SysctlNode[]): string {
  const rows = new Map<string, string[]>();
  for (const node of all) {
    const name = node.path().replace(/^net\.interfaces\.[a-z]+\d+\./, "net.interfaces.IF.");
    if (name.startsWith(MBUF_COUNTS)) continue;
    rows.set(name, [`\`${name}\``, TYPES.get(node.sysctl_type) ?? "subtree", access(node), node.sysctl_desc]);
  }
  const families = [...new Set([...rows.keys()].map((name) => family(name)))].sort();
  return families
    .map((one) => {
      const members = [...rows].filter(([name]) => family(name) === one).sort(([a], [b]) => (a < b ? -1 : 1));
      return `### ${one}\n\n${table(
        ["name", "type", "default", "what it is"],
        members.map(([, row]) => row),
      )}`;
    })
    .join("\n\n");
}

/** The parts of a name that its section is called by. */
function family(name: string): string {
  const parts = name.split(".");
  return parts
    .slice(
      0,
      parts[0] === "net" && parts.length > 3 ? 3 : parts[0] === "kern" && parts.length === 2 ? 1 : parts.length - 1,
    )
    .join(".");
}

/** The default of what can be written; what the kernel alone decides has none. */
function access(node: SysctlNode): string {
  if (node.value === null) return "-";
  if (node.value.write === null) return "read only";
  const bytes = node.value.read();
  if (node.sysctl_type === CTLTYPE_STRUCT) return "structure";
  return node.sysctl_type === CTLTYPE_STRING
    ? `"${bytes_to_string(bytes).replace(/\0.*$/s, "")}"`
    : String(bytes_to_number(bytes));
}
