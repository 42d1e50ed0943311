// docs/COMPATIBILITY.md: NetBSD's own network cases against the tests that exist here, and the marks of differences in the sources.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT, sources } from "../repo/source_tree.ts";
import { ACCEPTANCE } from "./acceptance.ts";
import { expectGenerated, table } from "./generated.ts";

const PAGE = "docs/COMPATIBILITY.md";

/** The tests under test/conformance/netbsd: titles of cases by title of file. */
function tests(): Map<string, string[]> {
  const mocha = join(ROOT, "node_modules/mocha/bin/mocha.js");
  const args = [mocha, "--no-config", "--dry-run", "--reporter", "json", "build/test/conformance/netbsd/**/*.test.js"];
  const json = JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" })) as {
    tests: { title: string; fullTitle: string }[];
  };
  const found = new Map<string, string[]>();
  for (const { title, fullTitle } of json.tests) {
    const file = fullTitle.slice(0, -title.length - 1);
    found.set(file, [...(found.get(file) ?? []), title]);
  }
  return found;
}

/** Marks of differences: "NetBSD: ..." at the start of a sentence of a comment, to the end of its paragraph. */
function marks(): [string, string][] {
  const rows: [string, string][] = [];
  for (const { path, text } of sources("hypercall/", "kernel-components/", "drivers/", "rumpsys/")) {
    const lines = text.split("\n").map((line) => line.trim());
    lines.forEach((line, at) => {
      const found = /^(?:\/\*+|\*|\/\/)(?: .*[.;(])? ?NetBSD: (.*)$/.exec(line);
      if (found === null) return;
      let mark = found[1] as string;
      for (let next = at + 1; !mark.includes("*/") && /^(\*|\/\/) \S/.test(lines[next] ?? ""); next++) {
        mark += ` ${(lines[next] as string).replace(/^(\*|\/\/) /, "")}`;
      }
      rows.push([path, mark.replace(/\s*\*\/.*$/, "").replace(/\)\.?$/, "")]);
    });
  }
  return rows;
}

describe("docs/COMPATIBILITY.md", function () {
  this.timeout(30_000);

  it("says of each case of NetBSD's whether a test here has its name, and if not, why", () => {
    const have = tests();
    const rows: string[][] = [];
    let passed = 0;
    let total = 0;
    for (const { file, about, cases, missing } of ACCEPTANCE) {
      const ours = have.get(file) ?? [];
      const done = cases.filter((name) => ours.includes(name));
      const open = cases.filter((name) => !ours.includes(name));
      for (const name of open)
        expect(missing?.[name] ?? missing?.["*"], `why is there no test ${file} ${name}?`).to.be.a("string");
      for (const name of Object.keys(missing ?? {}))
        if (name !== "*") expect(open, `${file} ${name} has a test now`).to.include(name);
      passed += done.length;
      total += cases.length;
      const reasons = [...new Set(open.map((name) => missing?.[name] ?? missing?.["*"] ?? ""))];
      const why = reasons.map(
        (reason) => `${open.filter((name) => (missing?.[name] ?? missing?.["*"]) === reason).join(", ")}: ${reason}`,
      );
      rows.push([`\`${file}\``, about, `${done.length} of ${cases.length}`, done.join(", "), why.join("; ")]);
    }
    const listed = new Set(ACCEPTANCE.map(({ file }) => file));
    expect(
      [...have.keys()].filter((file) => !listed.has(file)),
      "tests of no file in the list",
    ).to.deep.equal([]);
    const head = `**${passed} of ${total} cases pass.** A case passes when the test of its name under \`test/conformance/netbsd\` does; there is no failing one.\n\n`;
    expectGenerated(
      PAGE,
      "cases",
      head + table(["NetBSD's test", "what it is about", "pass", "cases that pass", "not yet"], rows),
    );
  });

  it("lists every difference that the sources mark", () => {
    expectGenerated(
      PAGE,
      "marks",
      table(
        ["where", "NetBSD"],
        marks().map(([path, mark]) => [`\`${path}\``, mark]),
      ),
    );
  });
});
