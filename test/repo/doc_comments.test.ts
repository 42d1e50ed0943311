// Every exported symbol outside the tests says what it is. (typedoc checks members too; this one is quick and names the line.)
import { expect } from "chai";
import ts from "typescript";
import { isExported, placeOf, sources } from "./source_tree.ts";

describe("doc comments", () => {
  it("every exported symbol has one", () => {
    const bare = sources(
      "hypercall/",
      "kernel-components/",
      "drivers/",
      "rumpsys/",
      "compat/",
      "test/support/",
    ).flatMap((file) =>
      file.tree.statements
        .filter((statement) => isExported(statement) && ts.getJSDocCommentsAndTags(statement).length === 0)
        .filter((statement) => !isLaterOverload(statement))
        .map((statement) => `${placeOf(file, statement)} ${firstLine(statement.getText(file.tree))}`),
    );
    expect(bare).to.deep.equal([]);
  });

  it("every call and field of the hypercall interface has one: units, ownership, blocking, errors", () => {
    const bare = sources("hypercall/api/").flatMap((file) =>
      file.tree.statements
        .filter((statement) => ts.isInterfaceDeclaration(statement) && isExported(statement))
        .flatMap((statement) => [...(statement as ts.InterfaceDeclaration).members])
        .filter((member) => ts.getJSDocCommentsAndTags(member).length === 0)
        .map((member) => `${placeOf(file, member)} ${firstLine(member.getText(file.tree))}`),
    );
    expect(bare).to.deep.equal([]);
  });
});

/** The second and later signatures of an overloaded function share the first one's comment. */
function isLaterOverload(statement: ts.Statement): boolean {
  if (!ts.isFunctionDeclaration(statement)) return false;
  const all = (statement.parent as ts.SourceFile).statements;
  const before = all[all.indexOf(statement) - 1];
  return before !== undefined && ts.isFunctionDeclaration(before) && before.name?.text === statement.name?.text;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
