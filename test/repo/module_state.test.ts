// Two kernels live in one process, so nothing may hang from a module; and nothing happens on import, so order never matters.
import { expect } from "chai";
import ts from "typescript";
import { isPure, placeOf, sources, type SourceFile } from "./source_tree.ts";

/** Programs: importing them is running them. */
const PROGRAMS =
  /^(rumpsys\/cli|docs\/examples|test\/bench|test\/interop|test\/fuzz)\/|^rumpsys\/testbed\/node_main\.ts$|^test\/.*\.test\.ts$/;

/** Containers that are made to be changed, unless the declared type is a read-only view of them. */
const CONTAINERS = /^(Map|Set|WeakMap|WeakSet|Array)$/;
const TYPED_ARRAYS = /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$|^(DataView|ArrayBuffer|SharedArrayBuffer)$/;

describe("module state", () => {
  it("no top-level let or var in what a kernel is made of", () => {
    expect(pureFiles().flatMap((file) => topLevelLets(file))).to.deep.equal([]);
  });

  it("no top-level mutable container in what a kernel is made of", () => {
    expect(pureFiles().flatMap((file) => topLevelContainers(file))).to.deep.equal([]);
  });

  it("a module defines and does nothing else when it is imported", () => {
    const modules = sources().filter(({ path }) => !PROGRAMS.test(path));
    expect(modules.flatMap((file) => topLevelActions(file))).to.deep.equal([]);
  });

  it("finds what it looks for (the rule itself is tested)", () => {
    const bad = fake(
      "let a = 1; const b = new Map<string, number>(); const c = new Uint8Array(4); f(); export const d = 1;",
    );
    expect(topLevelLets(bad)).to.have.length(1);
    expect(topLevelContainers(bad)).to.have.length(2);
    expect(topLevelActions(bad)).to.have.length(1);
    const good = fake("const t: ReadonlyMap<number, string> = new Map([[1, 'x']]); const u = Uint8Array.of(1, 2);");
    expect([...topLevelContainers(good), ...topLevelActions(good)]).to.deep.equal([]);
  });
});

function pureFiles(): SourceFile[] {
  return sources().filter(({ path }) => isPure(path));
}

function fake(text: string): SourceFile {
  return { path: "fake.ts", text, tree: ts.createSourceFile("fake.ts", text, ts.ScriptTarget.ES2023, true) };
}

function topLevelVariables(file: SourceFile): ts.VariableStatement[] {
  return file.tree.statements.filter((statement) => ts.isVariableStatement(statement));
}

function topLevelLets(file: SourceFile): string[] {
  return topLevelVariables(file)
    .filter(({ declarationList }) => (declarationList.flags & ts.NodeFlags.Const) === 0)
    .map((statement) => placeOf(file, statement));
}

function topLevelContainers(file: SourceFile): string[] {
  return topLevelVariables(file)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .filter((declaration) => isMutableContainer(declaration))
    .map((declaration) => placeOf(file, declaration));
}

function isMutableContainer({ type, initializer }: ts.VariableDeclaration): boolean {
  if (initializer === undefined || !ts.isNewExpression(initializer)) return false;
  const made = initializer.expression.getText();
  if (type !== undefined && /^(Readonly|readonly\b)/.test(type.getText())) return false;
  if (CONTAINERS.test(made)) return true;
  // new Uint8Array([1, 2]) is a table; new Uint8Array(16) is scratch space that two kernels would share
  const argument = initializer.arguments?.[0];
  return TYPED_ARRAYS.test(made) && !(argument !== undefined && ts.isArrayLiteralExpression(argument));
}

function topLevelActions(file: SourceFile): string[] {
  const defines = (statement: ts.Statement): boolean =>
    ts.isImportDeclaration(statement) ||
    ts.isExportDeclaration(statement) ||
    ts.isVariableStatement(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isModuleDeclaration(statement) ||
    ts.isEmptyStatement(statement);
  return file.tree.statements.filter((s) => !defines(s)).map((s) => placeOf(file, s));
}
