// The examples of the documentation are programs; each is run, and asserts what it shows.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
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
      await run(process.execPath, ["--enable-source-maps", program], { cwd: ROOT, timeout: EXAMPLE_TIMEOUT_MS });
    });
  }
});
