// The shell sessions of a document: its ```sh blocks run as they are, its ```console blocks are commands ("$ ...") with what they print, in which
// "..." stands for anything. All blocks of a page are one shell, in the order of the page.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "chai";

const MARK = "===COMMAND";

/** One command of a page. */
export interface PageCommand {
  readonly command: string;
  /** Lines it must print, or null when only its status counts. */
  readonly expected: string[] | null;
}

/** The commands of the document `path`. */
export function pageCommands(path: string): PageCommand[] {
  const list: PageCommand[] = [];
  for (const [, kind, body = ""] of readFileSync(path, "utf8").matchAll(/^```(sh|console)\n(.*?)^```$/gms)) {
    if (kind === "sh") {
      list.push({ command: body.trimEnd(), expected: null });
      continue;
    }
    for (const line of body.split("\n").slice(0, -1)) {
      if (line.startsWith("$ ")) list.push({ command: line.slice(2), expected: [] });
      else list.at(-1)?.expected?.push(line);
    }
  }
  return list;
}

/** Run the commands in one shell; fails with the first that does not print what the page shows, or whose status is not 0 where nothing is shown. */
export async function runPage(commands: readonly PageCommand[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const script = commands.map(({ command }) => `${command}\necho "${MARK} $?"\n`).join("");
  const printed = (await shell(`exec 2>&1\n${script}`, cwd, env)).split(new RegExp(`${MARK} (\\d+)\n`));
  commands.forEach(({ command, expected }, i) => {
    const output = printed[2 * i] ?? "";
    const status = printed[2 * i + 1];
    if (expected === null) {
      expect(status, `${command}\n${output}`).to.equal("0");
      return;
    }
    const lines = output.split("\n").slice(0, -1);
    const fine = lines.length === expected.length && lines.every((line, at) => matches(line, expected[at] ?? ""));
    if (!fine) expect(lines.join("\n"), `$ ${command}`).to.equal(expected.join("\n"));
  });
}

/** Whether `line` is `pattern`, in which "..." stands for anything. */
export function matches(line: string, pattern: string): boolean {
  const parts = pattern.split("...").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(line);
}

async function shell(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn("bash", [], { cwd, stdio: ["pipe", "pipe", "pipe"], env, detached: true });
  let out = "";
  child.stdout.on("data", (b: Buffer) => (out += b.toString()));
  child.stderr.on("data", (b: Buffer) => (out += b.toString()));
  child.stdin.end(script);
  await new Promise((resolve) => child.on("close", resolve));
  return out;
}
