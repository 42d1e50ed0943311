// The examples of the documentation are programs; each is run, asserts what it shows, and prints its `//>` lines. What a document prints is part of one.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { needNative } from "../support/need.ts";
import { filesBelow, ROOT, sources } from "./source_tree.ts";

const run = promisify(execFile);
const EXAMPLE_TIMEOUT_MS = 20_000;

describe("documentation examples", () => {
  for (const path of filesBelow("docs/examples", (name) => name.endsWith(".ts"))) {
    const native = sources(path).some(({ text }) => /hypercall\/native|drivers\/[^/]+\/host/.test(text));
    it(`${path} runs`, async function () {
      this.timeout(EXAMPLE_TIMEOUT_MS + 1000);
      if (native) needNative(this);
      const program = join(ROOT, "build", path.replace(/\.ts$/, ".js"));
      const { stdout } = await run(process.execPath, ["--enable-source-maps", program], {
        cwd: ROOT,
        timeout: EXAMPLE_TIMEOUT_MS,
      });
      const promised = sources(path).flatMap(({ text }) => [...text.matchAll(/^\/\/> (.*)$/gm)].map((line) => line[1]));
      if (promised.length > 0) expect(stdout.trimEnd().split("\n")).to.deep.equal(promised);
    });
  }

  it("every TypeScript program in a document is one of them, line by line", () => {
    const examples = sources("docs/examples/").map(({ text }) => comparable(text));
    const documents = filesBelow(".", (name) => name.endsWith(".md"));
    const unknown = documents
      .flatMap((path) => programsIn(path).map((program) => ({ path, program })))
      .filter(({ program }) => !examples.some((example) => example.includes(comparable(program))))
      .map(({ path, program }) => `${path}: ${program.split("\n", 1)[0]} ...`);
    expect(unknown).to.deep.equal([]);
  });
});

/** The ```ts blocks of a document that are whole programs: those that import. */
function programsIn(path: string): string[] {
  const text = readFileSync(join(ROOT, path), "utf8");
  return [...text.matchAll(/^```(?:ts|typescript)\n(.*?)^```$/gms)]
    .map((match) => match[1] ?? "")
    .filter((code) => /^import /m.test(code));
}

/** Readers import the package by name, the examples by path: where from is not compared, nor is what a formatter decides. */
function comparable(code: string): string {
  return code
    .replace(/from "[^"]*"/g, "from")
    .replace(/\s+/g, "")
    .replace(/,([)}\]])/g, "$1");
}
