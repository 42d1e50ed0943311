// The shell sessions of the documents: every command runs, from the root of the project, and prints what the page shows.
import { execFile } from "node:child_process";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
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
        for (let i = 0; i < 100 && left(dir).length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(left(dir)).to.deep.equal([]);
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

  it("README.md shows what npm start prints", async function () {
    needNative(this);
    this.timeout(SESSION_TIMEOUT_MS);
    const shown = /^\$ npm start\n\n(.*?)\n\n/ms.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1] ?? "";
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, "build/rumpsys/cli/main_job.js")], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: "1" },
    });
    expect(skeleton(stdout)).to.equal(skeleton(shown));
  });

  it("compares lines with patterns (the rule itself is tested)", () => {
    expect(matches("time=0.123 ms", "time=... ms")).to.equal(true);
    expect(matches("time=0.123 s", "time=... ms")).to.equal(false);
    expect(matches("a+b", "a+b")).to.equal(true);
  });
});

/** What a session that worked in a folder of its own has left there. A kernel removes its socket soon after it was halted. */
function left(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("/"));
}

/** A text without what differs from run to run or machine to machine: numbers that are measured, hardware addresses. */
function skeleton(text: string): string {
  return text
    .trim()
    .replace(/^.* on \d+ CPUs: .*\n/m, "") // not where there is one only
    .replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "MAC")
    .replace(/(?<!\d)(\d{1,3}\.){3}\d{1,3}(?!\d)/g, "ADDRESS")
    .replace(/\d[\d,.]*/g, "N");
}

/** End the kernels that a session did not come to end. A socket that nobody serves is left by one that died. */
async function halt_all(dir: string): Promise<void> {
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    if (!lstatSync(join(dir, name)).isSocket()) continue;
    const client = await rumpclient_init(`unix://${join(dir, name)}`).catch(() => null);
    await client?.rumpSys.reboot();
    client?.close();
  }
}
