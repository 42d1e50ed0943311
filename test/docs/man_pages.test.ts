// The manual pages of the contracts: they have the sections that a reader looks for, and each names every call of its part, so that a new
// call cannot be added without its page.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import ts from "typescript";
import { filesBelow, isExported, ROOT, sources } from "../repo/source_tree.ts";
import { expectGenerated, SOURCES_TIMEOUT_MS, table } from "./generated.ts";

/** Pages of contracts, with the sources whose exported functions (or interface calls) each has to name. */
const CONTRACTS: readonly { readonly page: string; readonly files: readonly string[]; readonly calls: RegExp }[] = [
  { page: "rumpuser.3", files: ["hypercall/api/"], calls: /^(rumpuser_|frames_|bus_)/ },
  { page: "rump_sys.3", files: ["rumpsys/rump_sys.ts", "rumpsys/rump_sys_fd.ts"], calls: /^rump_(sys_|errno)/ },
  { page: "callout.9", files: ["kernel-components/kern/callout.ts"], calls: /^callout_/ },
  { page: "softint.9", files: ["kernel-components/kern/softint.ts"], calls: /^softint_/ },
  {
    page: "mbuf.9",
    files: ["kernel-components/kern/mbuf_", "kernel-components/kern/in_cksum.ts"],
    calls: /^(m_|M_|in_cksum)/,
  },
  { page: "bpf.4", files: ["kernel-components/net/bpf_abi.ts"], calls: /^BIOC/ },
  { page: "ptp.4", files: ["drivers/ptp/ptp.component.ts"], calls: /^ptp_attach/ },
  { page: "rumpkernel.7", files: ["rumpsys/rump_init.ts"], calls: /^rump_init/ },
  { page: "shmif.4", files: [], calls: /^$/ },
  { page: "virt.4", files: [], calls: /^$/ },
  { page: "route.4", files: [], calls: /^$/ },
  { page: "arp.4", files: [], calls: /^$/ },
  { page: "sysctl.7", files: [], calls: /^$/ },
];

const SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"];
/** What a contract has to say besides. */
const WORDS = [/blocks|Blocking/, /Context/, /Ownership|owns?\b/, /ERRORS|errors/];

describe("manual pages of the contracts", function () {
  this.timeout(SOURCES_TIMEOUT_MS);

  for (const { page, files, calls } of CONTRACTS) {
    it(`${page}: blocking, context, ownership, errors, and every call`, () => {
      const text = readFileSync(join(ROOT, "docs/man", `${page}.md`), "utf8");
      for (const section of SECTIONS) expect(text, section).to.include(`\n## ${section}\n`);
      for (const word of WORDS) expect(text).to.match(word);
      const unnamed = (files.length === 0 ? [] : sources(...files))
        .flatMap(({ tree }) => tree.statements.flatMap((statement) => declared(statement)))
        .filter((name) => calls.test(name) && !new RegExp(`\\b${name}\\b`).test(text));
      expect(unnamed, "calls that the page does not name").to.deep.equal([]);
    });
  }

  it("docs/man/README.md lists all pages by their NAME", () => {
    const pages = filesBelow("docs/man", (name) => /^[\w-]+\.\d\.md$/.test(name)).sort(
      (a, b) => section(a) - section(b) || (a < b ? -1 : 1),
    );
    const rows = pages.map((path) => {
      const file = path.slice("docs/man/".length);
      const about = /^## NAME\n+(.*)$/m.exec(readFileSync(join(ROOT, path), "utf8"))?.[1] ?? "";
      expect(about, `${path}: "name - what it is" under NAME`).to.match(/^.+ [-\u2013] .+/);
      return [`[${file.replace(/\.(\d)\.md$/, "($1)")}](${file})`, about.replace(/^.*? [-\u2013] /, "")];
    });
    expectGenerated("docs/man/README.md", "pages", table(["page", "what it is"], rows));
  });

  it("names no file that is not there, and every link leads somewhere", () => {
    const pages = ["README.md", ...filesBelow("docs", (name) => name.endsWith(".md"))].filter((path) =>
      existsSync(join(ROOT, path)),
    );
    expect(pages.flatMap((path) => deadLinks(path)).sort()).to.deep.equal([]);
  });
});

function section(path: string): number {
  return Number(/\.(\d)\.md$/.exec(path)?.[1]);
}

/** Names that a statement exports: functions, constants, and the methods of interfaces. */
function declared(statement: ts.Statement): string[] {
  if (!isExported(statement)) return [];
  if (ts.isFunctionDeclaration(statement)) return [statement.name?.text ?? ""];
  if (ts.isInterfaceDeclaration(statement))
    return statement.members.filter(ts.isMethodSignature).map((member) => member.name.getText());
  if (!ts.isVariableStatement(statement)) return [];
  const functions = statement.declarationList.declarations.filter(
    ({ name, initializer }) =>
      name.getText().startsWith("BIOC") || (initializer !== undefined && ts.isArrowFunction(initializer)),
  );
  return functions.map(({ name }) => name.getText());
}

/** Relative links and paths in backticks that lead nowhere. */
function deadLinks(path: string): string[] {
  const text = readFileSync(join(ROOT, path), "utf8").replace(/^```.*?^```/gms, "");
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, to]) => join(dirname(path), to ?? ""));
  const named = [
    ...text.matchAll(/`((?:hypercall|kernel-components|drivers|rumpsys|test|docs)\/[\w./-]*\w\.(?:ts|md|mjs|cc))`/g),
  ].map(([, to]) => to ?? "");
  return [...links, ...named].filter((to) => !existsSync(join(ROOT, to))).map((to) => `${path}: ${to}`);
}
