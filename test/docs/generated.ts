// Parts of documents that are made from the code: between two marks, compared by the tests, written anew when RUMPKIT_WRITE_DOCS is set.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT } from "../repo/source_tree.ts";

/** Reading and parsing all sources takes seconds on a busy machine. */
export const SOURCES_TIMEOUT_MS = 60_000;

/** How to bring the pages up to date; each test that fails prints it. */
const CURE = "bring it up to date with: RUMPKIT_WRITE_DOCS=1 npm test -- 'build/test/docs/*.test.js'";

const END = "<!-- end generated -->";

/** Compare the part `name` of the document `path` with `text`, or write it. Fails when the document has no such part. */
export function expectGenerated(path: string, name: string, text: string): void {
  const file = join(ROOT, path);
  expect(existsSync(file), `${path} is missing`).to.equal(true);
  const old = readFileSync(file, "utf8");
  const begin = `<!-- begin generated: ${name} -->`;
  const from = old.indexOf(begin);
  const to = old.indexOf(END, from);
  expect(from !== -1 && to !== -1, `${path} has no part between "${begin}" and "${END}"`).to.equal(true);
  const made = `${old.slice(0, from)}${begin}\n${text.trim()}\n${old.slice(to)}`;
  if (made === old) return;
  if (process.env["RUMPKIT_WRITE_DOCS"] !== undefined) writeFileSync(file, made);
  else expect(old, `${path}: the part "${name}" is not what the code says; ${CURE}`).to.equal(made);
}

/** A row of a Markdown table. */
export function tableRow(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replace(/\|/g, "\\|").replace(/\s+/g, " ").trim()).join(" | ")} |`;
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [tableRow(...head), `|${head.map(() => "---|").join("")}`, ...rows.map((row) => tableRow(...row))].join("\n");
}
