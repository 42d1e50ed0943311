// What npm start and npm test do before anything else: the messages when something is missing, and not building twice.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const BOOTSTRAP = fileURLToPath(new URL("../../../../rumpsys/bootstrap/", import.meta.url));

describe("bootstrap", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rumpkit-bootstrap-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("names the missing tools and the cure when there is no compiler", () => {
    const addon = join(folder, "hypercall/native/addon");
    mkdirSync(addon, { recursive: true });
    writeFileSync(join(addon, "binding.gyp"), "{}");
    mkdirSync(join(folder, "node_modules/node-addon-api"), { recursive: true });
    writeFileSync(join(folder, "node_modules/node-addon-api/package.json"), '{"version":"0.0.0"}');
    const said = evaluate("native.mjs", `buildNative(${JSON.stringify(folder)})`, {
      PATH: join(folder, "nothing-here"),
    });
    expect(said).to.include("C++ compiler, make, python3");
    expect(said).to.include("apt-get install g++ make python3");
  });

  it("needs nothing when there is no addon to build", () => {
    expect(evaluate("native.mjs", `buildNative(${JSON.stringify(folder)})`, {})).to.equal("");
  });

  it("sees a file that was edited, added or removed", () => {
    const print = (): string => {
      return evaluate(
        "stamp.mjs",
        `fingerprint(filesBelow(${JSON.stringify(folder)}, (name) => name.endsWith(".ts")))`,
        {},
      );
    };
    writeFileSync(join(folder, "a.ts"), "1");
    const first = print();
    expect(print()).to.equal(first);
    writeFileSync(join(folder, "a.ts"), "12");
    const edited = print();
    expect(edited).not.to.equal(first);
    writeFileSync(join(folder, "b.ts"), "");
    const added = print();
    expect(added).not.to.equal(edited);
    rmSync(join(folder, "b.ts"));
    expect(print()).to.equal(edited);
    writeFileSync(join(folder, "notes.txt"), "ignored");
    expect(print()).to.equal(edited);
  });

  it("takes over the lock of a process that died", () => {
    const lock = join(folder, "lock");
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    writeFileSync(lock, String(dead));
    expect(evaluate("stamp.mjs", `withLock(${JSON.stringify(lock)}, () => "worked")`, {})).to.equal("worked");
  });

  it("refuses a command that it does not know, and lists those it knows", () => {
    const run = spawnSync(process.execPath, [join(BOOTSTRAP, "run.mjs"), "bild"], { encoding: "utf8" });
    expect(run.status).to.equal(1);
    expect(run.stderr).to.include('"bild"').and.to.include("start, test, build, ok, bench, docs");
  });
});

/** The value of an expression over what a bootstrap module exports, printed by another Node. */
function evaluate(module: string, expression: string, env: Record<string, string>): string {
  const url = JSON.stringify(`file://${BOOTSTRAP}${module}`);
  const names = /\b(buildNative|fingerprint|filesBelow|withLock)\b/g;
  const used = [...new Set(expression.match(names))].join(", ");
  const program = `import { ${used} } from ${url}; process.stdout.write(String(${expression}));`;
  const args = ["--input-type=module", "-e", program];
  return execFileSync(process.execPath, args, { encoding: "utf8", env: { ...withoutTools(), ...env } });
}

/** This environment without the variables that name a compiler to node-gyp. */
function withoutTools(): NodeJS.ProcessEnv {
  const { CXX: _cxx, MAKE: _make, PYTHON: _python, ...rest } = process.env;
  return rest;
}
