// The examples of the manual pages: each page's commands run in one shell in a folder of their own, and must print what the page shows
// ("..." stands for anything).
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect } from "chai";
import { rumpclient_init } from "../../../rumpsys/client/rumpclient.ts";
import { RumpError } from "../../../rumpsys/errors.ts";
import { KERNEL_TOOLS, HOST_TOOLS } from "../../../rumpsys/cli/tool_table.ts";
import { needNative } from "../../support/need.ts";
import { RUMP } from "../../support/rump_process.ts";

const PAGES = "docs/man";
const PAGE_TIMEOUT_MS = 60_000;
const MARK = "===COMMAND";

interface Example {
  readonly command: string;
  readonly expected: string[];
}

function examples(page: string): Example[] {
  const text = readFileSync(join(PAGES, page), "utf8");
  const list: Example[] = [];
  for (const block of text.matchAll(/^```console\n(.*?)^```$/gms)) {
    for (const line of (block[1] ?? "").split("\n").slice(0, -1)) {
      if (line.startsWith("$ ")) list.push({ command: line.slice(2), expected: [] });
      else list.at(-1)?.expected.push(line);
    }
  }
  return list;
}

function matches(line: string, pattern: string): boolean {
  const parts = pattern.split("...").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(line);
}

async function shell(script: string, cwd: string, path: string): Promise<string> {
  const child = spawn("sh", [], {
    cwd,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, RUMP_SERVER: "", PATH: path },
  });
  let out = "";
  child.stdout.on("data", (b: Buffer) => (out += b.toString()));
  child.stderr.on("data", (b: Buffer) => (out += b.toString()));
  child.stdin.end(script);
  await new Promise((resolve) => child.on("close", resolve));
  return out;
}

/** Ends the kernel at `url`; one that is dead already is what the caller finds out. */
async function halt(url: string): Promise<void> {
  try {
    const client = await rumpclient_init(url);
    await client.rumpSys.reboot();
    client.close();
  } catch (error) {
    if (!(error instanceof RumpError)) throw error;
  }
}

describe("manual pages of the tools", () => {
  let dir: string;

  before(function () {
    needNative(this);
  });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "man-"));
  });

  afterEach(async () => {
    const sockets = readdirSync(dir).filter((name) => lstatSync(join(dir, name)).isSocket());
    for (const name of sockets) await halt(`unix://${dir}/${name}`);
    const left = (): string[] => sockets.filter((name) => existsSync(join(dir, name)));
    for (let i = 0; i < 250 && left().length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    const there = left();
    rmSync(dir, { recursive: true });
    expect(there, "sockets of kernels that did not end").to.deep.equal([]);
  });

  it("there is one for every tool, and it has the tool's options", () => {
    for (const { name, usage } of [...KERNEL_TOOLS, ...HOST_TOOLS]) {
      const text = readFileSync(join(PAGES, `rump-${name}.1.md`), "utf8");
      for (const [, letter] of usage.matchAll(/(?<=[[\s|])-([a-zA-Z])\b/g))
        expect(text, `${name} -${letter}`).to.match(new RegExp(`-[a-zA-Z]*${letter}`));
    }
  });

  for (const page of readdirSync(PAGES).filter((name) => /^rump[-.].*\.md$/.test(name))) {
    if (examples(page).length === 0) continue;
    it(`${page}: its examples print what it shows`, async function () {
      this.timeout(PAGE_TIMEOUT_MS);
      const bin = mkdtempSync(join(tmpdir(), "man-bin-"));
      writeFileSync(join(bin, "rump"), `#!/bin/sh\nexec ${process.execPath} ${RUMP} "$@"\n`);
      chmodSync(join(bin, "rump"), 0o755);
      const list = examples(page);
      const script = list.map(({ command }) => `${command}\necho "${MARK}"\n`).join("");
      const out = await shell(`exec 2>&1\n${script}`, dir, `${bin}${delimiter}${process.env["PATH"]}`);
      rmSync(bin, { recursive: true });
      const printed = out.split(`${MARK}\n`);
      list.forEach(({ command, expected }, i) => {
        const lines = (printed[i] ?? "").split("\n").slice(0, -1);
        const fine = lines.length === expected.length && lines.every((line, at) => matches(line, expected[at] ?? ""));
        if (!fine) expect(lines.join("\n"), `$ ${command}`).to.equal(expected.join("\n"));
      });
    });
  }
});
