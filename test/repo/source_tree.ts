// The project's own sources as the house-rule tests see them: paths from the repository root, text, and syntax tree.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** The repository root; this file runs from build/test/repo. */
export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));

/** The folders that hold TypeScript. */
export const SOURCE_FOLDERS: readonly string[] = [
  "hypercall",
  "kernel-components",
  "drivers",
  "rumpsys",
  "compat",
  "test",
  "docs",
];

/** One source file. */
export interface SourceFile {
  /** From the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

/** Every TypeScript source whose path starts with one of `prefixes` (all of them without any). */
export function sources(...prefixes: string[]): SourceFile[] {
  return allSources().filter(({ path }) => prefixes.length === 0 || prefixes.some((prefix) => path.startsWith(prefix)));
}

/** Whether `path` belongs to the part that must run anywhere: no Node, no host globals. */
export function isPure(path: string): boolean {
  if (/^(kernel-components|hypercall\/(api|slab|sim))\//.test(path)) return true;
  return path.startsWith("drivers/") && !/^drivers\/[^/]+\/host\//.test(path);
}

/** `path:line` of a node, as an editor wants it. */
export function placeOf(file: SourceFile, node: ts.Node): string {
  const { line } = file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree));
  return `${file.path}:${line + 1}`;
}

/** Whether the declaration carries `export`. */
export function isExported(node: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(node) && ts.getModifiers(node)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword) === true
  );
}

/** Files below `folder` (from the root) that `wanted` accepts; build output and packages are not entered. */
export function filesBelow(folder: string, wanted: (name: string) => boolean): string[] {
  const found: string[] = [];
  const enter = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "build" && entry.name !== "node_modules" && !entry.name.startsWith(".")) enter(child);
      } else if (wanted(entry.name)) {
        found.push(relative(ROOT, child).split(sep).join("/"));
      }
    }
  };
  try {
    enter(join(ROOT, folder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return found.sort();
}

let cached: SourceFile[] | undefined;

function allSources(): SourceFile[] {
  cached ??= SOURCE_FOLDERS.flatMap((folder) => filesBelow(folder, (name) => name.endsWith(".ts"))).map((path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true) };
  });
  return cached;
}
