// Who may import whom, read off the import statements; docs/ARCHITECTURE.md draws the same graph.
import { expect } from "chai";
import { posix } from "node:path";
import ts from "typescript";
import { isPure, placeOf, sources, type SourceFile } from "./source_tree.ts";

const API = "hypercall/api/";
const SLAB = "hypercall/slab/";
const NATIVE = "hypercall/native/";
const WIRE = "kernel-components/wire/";
const KERN = "kernel-components/kern/";
const SOCKET = "kernel-components/socket/";
const NET = "kernel-components/net/";
const INET = "kernel-components/inet/";

/** What the files of a layer may import besides their own layer. The first layer whose pattern matches counts. */
const LAYERS: readonly { readonly from: RegExp; readonly to: readonly string[] }[] = [
  { from: /^hypercall\/api\//, to: [] },
  { from: /^hypercall\/slab\//, to: [API] },
  { from: /^hypercall\/sim\//, to: [API, SLAB] },
  { from: /^hypercall\/native\//, to: [API, SLAB] },
  { from: /^kernel-components\/wire\//, to: [] },
  { from: /^kernel-components\/kern\//, to: [API] },
  { from: /^kernel-components\/socket\//, to: [KERN, API] },
  { from: /^kernel-components\/net\//, to: [SOCKET, KERN, WIRE, API] },
  { from: /^kernel-components\/inet\//, to: [NET, SOCKET, KERN, WIRE, API] },
  { from: /^drivers\/[^/]+\/host\//, to: [API, SLAB, NATIVE] },
  { from: /^drivers\/[^/]+\//, to: [NET, SOCKET, KERN, WIRE, API] },
  { from: /^rumpsys\//, to: [API, SLAB, "hypercall/", WIRE, KERN, SOCKET, NET, INET, "drivers/"] },
  { from: /^compat\//, to: ["rumpsys/", API] },
  { from: /^(test|docs)\//, to: [""] },
];

describe("layers", () => {
  it("imports go only downwards", () => {
    const wrong = allImports()
      .filter(({ target }) => target.startsWith(".") || target.startsWith("/"))
      .map((entry) => ({ ...entry, to: posix.join(posix.dirname(entry.file.path), entry.target) }))
      .filter(({ file, to }) => !mayImport(file.path, to))
      .map(({ place, to }) => `${place} imports ${to}`);
    expect(wrong).to.deep.equal([]);
  });

  it("node: and packages only where the host is", () => {
    const wrong = allImports()
      .filter(({ file, target }) => isPure(file.path) && !target.startsWith("."))
      .map(({ place, target }) => `${place} imports ${target}`);
    expect(wrong).to.deep.equal([]);
  });

  it("an import names the file that defines: no re-exports but the package's front door, which nobody here uses", () => {
    const inner = sources().filter(({ path }) => path !== "rumpsys/main.ts");
    expect(
      allImports()
        .filter(({ target }) => target.endsWith("/main.ts"))
        .map(({ place }) => place),
    ).to.deep.equal([]);
    const wrong = inner.flatMap((file) =>
      file.tree.statements
        .filter((s) => ts.isExportDeclaration(s) && s.moduleSpecifier !== undefined)
        .map((s) => placeOf(file, s)),
    );
    expect(wrong).to.deep.equal([]);
  });

  it("its table finds a forbidden import (the rule itself is tested)", () => {
    expect(mayImport("kernel-components/kern/mbuf.ts", "kernel-components/net/if.ts")).to.equal(false);
    expect(mayImport("kernel-components/net/if.ts", "kernel-components/kern/mbuf.ts")).to.equal(true);
    expect(mayImport("drivers/virt/if_virt.ts", "drivers/virt/host/tap.ts")).to.equal(false);
    expect(mayImport("drivers/virt/host/tap.ts", "drivers/virt/virt_user.ts")).to.equal(true);
    expect(mayImport("drivers/virt/host/tap.ts", "kernel-components/kern/mbuf.ts")).to.equal(false);
  });
});

function mayImport(from: string, to: string): boolean {
  const layer = LAYERS.find((candidate) => candidate.from.test(from));
  if (layer === undefined) return false;
  if (layer.to.some((prefix) => to.startsWith(prefix))) return true;
  const device = /^(drivers\/[^/]+\/)host\//.exec(from)?.[1];
  if (device !== undefined) return to.startsWith(device);
  return layer.from.test(to) && !(isPure(from) && to.includes("/host/"));
}

interface Import {
  readonly file: SourceFile;
  readonly place: string;
  readonly target: string;
}

function allImports(): Import[] {
  return sources().flatMap((file) => {
    const found: Import[] = [];
    const visit = (node: ts.Node): void => {
      const target = importTarget(node);
      if (target !== undefined) found.push({ file, place: placeOf(file, node), target });
      ts.forEachChild(node, visit);
    };
    visit(file.tree);
    return found;
  });
}

/** What `import ... from`, `export ... from`, `import()` or a type `import("...")` names. */
function importTarget(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return literal(node.arguments[0]);
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal);
  return undefined;
}

function literal(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}
