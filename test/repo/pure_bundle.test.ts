// The kernel would run in a browser: every pure folder bundles for a platform that has nothing, and no import is left.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { expect } from "chai";
import { isPure, ROOT, sources } from "./source_tree.ts";

describe("pure bundle", () => {
  const folders = new Set(
    sources()
      .filter(({ path }) => isPure(path))
      .map(({ path }) => path.split("/").slice(0, 2).join("/")),
  );

  for (const folder of folders) {
    it(`${folder} needs nothing from any platform`, async () => {
      const result = await build({
        entryPoints: sources(`${folder}/`)
          .filter(({ path }) => isPure(path))
          .map(({ path }) => join(ROOT, path)),
        absWorkingDir: ROOT,
        outdir: "nowhere",
        bundle: true,
        write: false,
        metafile: true,
        platform: "neutral",
        format: "esm",
        logLevel: "silent",
      });
      const left = Object.values(result.metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
      expect(left).to.deep.equal([]);
    });
  }

  it("looks at all the kernel components that are there", () => {
    const there = readdirSync(join(ROOT, "kernel-components")).map((name) => `kernel-components/${name}`);
    const seen = there.filter((folder) => sources(`${folder}/`).length > 0);
    expect([...folders]).to.include.members(seen);
  });
});
