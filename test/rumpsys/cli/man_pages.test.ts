// The examples of the manual pages: each page's commands run in one shell in a folder of their own, and must print what the page shows
// ("..." stands for anything).
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
import { pageCommands, runPage } from "../../support/console_page.ts";
import { needNative } from "../../support/need.ts";
import { RUMP } from "../../support/rump_process.ts";

const PAGES = "docs/man";
const PAGE_TIMEOUT_MS = 60_000;

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
    const commands = pageCommands(join(PAGES, page));
    if (commands.length === 0) continue;
    it(`${page}: its examples print what it shows`, async function () {
      this.timeout(PAGE_TIMEOUT_MS);
      const bin = mkdtempSync(join(tmpdir(), "man-bin-"));
      writeFileSync(join(bin, "rump"), `#!/bin/sh\nexec ${process.execPath} ${RUMP} "$@"\n`);
      chmodSync(join(bin, "rump"), 0o755);
      const env = { ...process.env, RUMP_SERVER: "", PATH: `${bin}${delimiter}${process.env["PATH"]}` };
      try {
        await runPage(commands, dir, env);
      } finally {
        rmSync(bin, { recursive: true });
      }
    });
  }
});
