// One idea a file: lint warns at 400 code lines, here 500 is the end. Comments and blank lines are free.
import { expect } from "chai";
import ts from "typescript";
import { sources } from "./source_tree.ts";

const MAX_CODE_LINES = 500;

describe("file length", () => {
  it(`no source file has more than ${MAX_CODE_LINES} code lines`, () => {
    const long = sources()
      .map(({ path, text }) => ({ path, lines: codeLines(text) }))
      .filter(({ lines }) => lines > MAX_CODE_LINES)
      .map(({ path, lines }) => `${path}: ${lines}`);
    expect(long).to.deep.equal([]);
  });

  it("counts lines that hold code and no others", () => {
    expect(codeLines("// one\n\n/* two\n three */\nconst a = 1;\nconst b = `x\ny`;\n")).to.equal(3);
  });
});

function codeLines(text: string): number {
  const tree = ts.createSourceFile("counted.ts", text, ts.ScriptTarget.ES2023, true);
  const lines = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (ts.isToken(node) && node.kind !== ts.SyntaxKind.EndOfFileToken) {
      const last = tree.getLineAndCharacterOfPosition(node.end).line;
      for (let line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line; line <= last; line++)
        lines.add(line);
    }
    if (ts.isJSDoc(node)) return;
    for (const child of node.getChildren(tree)) visit(child);
  };
  visit(tree);
  return lines.size;
}
