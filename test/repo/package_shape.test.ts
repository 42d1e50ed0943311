// What makes the package installable anywhere: no install script, no root binding.gyp, a fixed top level.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT, SOURCE_FOLDERS } from "./source_tree.ts";

/** npm runs these on the machine of whoever installs the package. */
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepare", "prepublish", "preprepare", "postprepare"];

describe("package shape", () => {
  it("installing runs nothing: no install script, no root binding.gyp", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    expect(Object.keys(manifest.scripts).filter((name) => INSTALL_SCRIPTS.includes(name))).to.deep.equal([]);
    expect(readdirSync(ROOT)).not.to.include("binding.gyp");
  });

  it("the top level holds the seven folders and nothing else", () => {
    const folders = readdirSync(ROOT, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) => name);
    expect(
      folders.filter((name) => !["build", "node_modules", "coverage", ...SOURCE_FOLDERS].includes(name)),
    ).to.deep.equal([]);
  });
});
