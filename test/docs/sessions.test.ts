// The shell sessions of the documents: every command runs, from the root of the project, and prints what the page shows.
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { rumpclient_init } from "../../rumpsys/client/rumpclient.ts";
import { filesBelow, ROOT } from "../repo/source_tree.ts";
import { matches, pageCommands, runPage } from "../support/console_page.ts";
import { needNative } from "../support/need.ts";

const SESSION_TIMEOUT_MS = 60_000;
/** Pages of the tools have a test of their own (test/rumpsys/cli). */
const PAGES: readonly string[] = filesBelow("docs", (name) => name.endsWith(".md")).filter(
  (path) => !path.startsWith("docs/man/") && pageCommands(join(ROOT, path)).length > 0,
);

describe("sessions of the documents", () => {
  for (const page of PAGES) {
    it(`${page}: its commands print what it shows, and leave nothing`, async function () {
      needNative(this);
      this.timeout(SESSION_TIMEOUT_MS);
      const dir = mkdtempSync(join(tmpdir(), "session-"));
      try {
        await runPage(pageCommands(join(ROOT, page)), ROOT, { ...process.env, TMPDIR: dir, RUMP_SERVER: "" });
        const left = readdirSync(dir, { recursive: true, encoding: "utf8" });
        expect(left.filter((name) => name.includes("/"))).to.deep.equal([]);
      } finally {
        await halt_all(dir);
        rmSync(dir, { recursive: true });
      }
    });
  }

  it("README.md shows what the commands that it names print", () => {
    const text = readFileSync(join(ROOT, "README.md"), "utf8");
    const printed = readFileSync(join(ROOT, "docs/examples/twelve_lines.ts"), "utf8").matchAll(/^\/\/> (.*)$/gm);
    for (const [, line] of printed) expect(text.split("\n")).to.include(line);
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const [, name] of text.matchAll(/npm (?:run )?(start|test|ok|bench|docs|build)\b/g))
      expect(scripts).to.have.property(name ?? "");
  });

  it("compares lines with patterns (the rule itself is tested)", () => {
    expect(matches("time=0.123 ms", "time=... ms")).to.equal(true);
    expect(matches("time=0.123 s", "time=... ms")).to.equal(false);
    expect(matches("a+b", "a+b")).to.equal(true);
  });
});

/** End the kernels that a session did not come to end. */
async function halt_all(dir: string): Promise<void> {
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    if (!lstatSync(join(dir, name)).isSocket()) continue;
    const client = await rumpclient_init(`unix://${join(dir, name)}`);
    await client.rumpSys.reboot();
    client.close();
  }
}
