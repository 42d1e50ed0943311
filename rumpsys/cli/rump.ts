#!/usr/bin/env node
/**
 * The command `rump`: a server for a kernel, and NetBSD's network tools for kernels. docs/man/rump.1.md
 *
 * Exit status: 0 done, 1 it did not work, 2 wrong arguments, 3 no kernel there or this machine lacks something.
 */
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { EACCES } from "../../hypercall/api/errno.ts";
import { NativeHostError } from "../../hypercall/native/addon.ts";
import { sp_parse } from "../../hypercall/native/sp_url.ts";
import { OSRELEASE } from "../../kernel-components/kern/sysctl_kern.ts";
import { rumpclient_init } from "../client/rumpclient.ts";
import type { Rumpclient } from "../client/rumpclient.ts";
import { RUMP_SERVER } from "../client/sp_link.ts";
import { RumpError } from "../errors.ts";
import type { ServerFlags } from "./server.ts";
import { error_text, EXIT_ENVIRONMENT, EXIT_FAILURE, EXIT_OK, EXIT_USAGE, run_tool, ToolError } from "./tool.ts";
import type { Tool, ToolContext } from "./tool.ts";
import { HOST_TOOLS, KERNEL_TOOLS } from "./tool_table.ts";
import type { HostTool, ToolEntry } from "./tool_table.ts";

/** How long a tool may take to end by itself after an interrupt. */
const INTERRUPT_MS = 1500;
const INTERRUPTED = 128 + constants.signals.SIGINT;

const out = (line: string): void => void process.stdout.write(`${line}\n`);
const out_bytes = (bytes: Uint8Array): void => void process.stdout.write(bytes);
const err = (line: string): void => void process.stderr.write(`${line}\n`);

/** Options that every tool takes, before or after its name. */
interface CommonOptions {
  server: string | undefined;
  json: boolean;
  rest: string[];
}

/** Takes --json and --server out of a tool's arguments. */
function common_options(program: Command, args: readonly string[]): CommonOptions {
  const given = program.opts<{ server?: string; json?: boolean }>();
  const o: CommonOptions = { server: given.server, json: given.json === true, rest: [] };
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (word === "--json") o.json = true;
    else if (word.startsWith("--server=")) o.server = word.slice("--server=".length);
    else if (word === "--server") {
      const url = args[++i];
      if (url === undefined) throw new ToolError("--server needs a URL", EXIT_USAGE);
      o.server = url;
    } else o.rest.push(word);
  }
  return o;
}

/** Ends on interrupts: the first asks, and waits INTERRUPT_MS at most; the second does not ask. */
function interruptible(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort();
      setTimeout(() => process.exit(INTERRUPTED), INTERRUPT_MS).unref();
    });
  }
  return controller.signal;
}

async function with_client(url: string | undefined, use: (client: Rumpclient) => Promise<number>): Promise<number> {
  let client: Rumpclient;
  try {
    client = await rumpclient_init(url);
  } catch (error) {
    if (!(error instanceof RumpError)) throw error;
    const where = url ?? process.env[RUMP_SERVER] ?? "";
    if (where === "") throw new ToolError(error.message, EXIT_ENVIRONMENT);
    const address = sp_parse(where);
    if (address.err !== 0)
      throw new ToolError(`${url === undefined ? RUMP_SERVER : "--server"}: ${address.text}`, EXIT_USAGE);
    if (error.errno === EACCES) throw new ToolError(error.message, EXIT_ENVIRONMENT);
    throw new ToolError(`${error.message}; start one with: rump server ${where}`, EXIT_ENVIRONMENT);
  }
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

function run_kernel_tool(program: Command, entry: ToolEntry<Tool>, args: readonly string[]): Promise<number> {
  const o = common_options(program, args);
  const signal = interruptible();
  const clock = { now_ns: () => Number(process.hrtime.bigint()), wall_s: () => Date.now() / 1000 };
  return with_client(o.server, async (client) => {
    const cx: ToolContext = { sys: client.rumpSys, out, out_bytes, err, json: o.json, clock, signal };
    return run_tool(entry.name, await entry.load(), cx, o.rest, `${entry.name} ${entry.usage}`);
  });
}

async function run_host_tool(program: Command, entry: ToolEntry<HostTool>, args: readonly string[]): Promise<number> {
  const o = common_options(program, args);
  try {
    return await (await entry.load())({ out, out_bytes, err, json: o.json }, o.rest);
  } catch (error) {
    if (!(error instanceof ToolError) && !(error instanceof RumpError)) throw error;
    err(`${entry.name}: ${error.message}`);
    if (error instanceof RumpError) return EXIT_FAILURE;
    if (error.status === EXIT_USAGE) err(`usage: rump ${entry.name} ${entry.usage}`);
    return error.status;
  }
}

async function halt(program: Command, args: readonly string[]): Promise<number> {
  const o = common_options(program, args);
  if (o.rest.length > 0) throw new ToolError(`halt takes nothing: ${o.rest.join(" ")}`, EXIT_USAGE);
  return with_client(o.server, async (client) => {
    await client.rumpSys.reboot();
    if (o.json) out(JSON.stringify({ halted: client.url }));
    return EXIT_OK;
  });
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

async function serve(flags: ServerFlags, url: string, self: readonly string[]): Promise<number> {
  const { server, server_options } = await import("./server.ts");
  return server(server_options(flags, url), self, err);
}

function add_server(program: Command, set: (status: Promise<number>) => void): void {
  program
    .command("server")
    .description("boot a kernel and serve it at a URL; returns when it is live")
    .argument("<url>", "unix://PATH, three slashes for an absolute path")
    .option("-s", "stay in the foreground")
    .option("-v", "boot messages; at the end, what was not given back")
    .option("-c <ncpu>", "number of CPUs: 1")
    .option("-r <ram>", "most memory, such as 16m")
    .option("-l <component>", "a component; all when none is named", collect, [])
    .option("--name <name>", "kern.hostname")
    .option("--if <spec>", "an interface: IF[=LINKSTR][,ADDR/LEN]...", collect, [])
    .option("--with-parent", "with -s: end when the process that started it ends")
    .action((url: string, flags: ServerFlags) => {
      const self = [fileURLToPath(import.meta.url), ...process.argv.slice(2, -1), "-s", process.argv.at(-1) as string];
      set(serve(flags, url, self));
    });
}

/** The program; `set` gets the exit status of what was asked. */
function rump_program(set: (status: Promise<number>) => void): Command {
  const program = new Command("rump");
  program
    .description("Kernels of NetBSD's network stack in JavaScript, and their tools")
    .version(OSRELEASE)
    .option("--server <url>", `the kernel, instead of ${RUMP_SERVER}`)
    .option("--json", "print JSON")
    .enablePositionalOptions()
    .exitOverride();
  add_server(program, set);
  const tool = (name: string, about: string, usage: string, run: (args: string[]) => Promise<number>): void => {
    program
      .command(name)
      .description(about)
      .usage(usage)
      .helpOption("--help", "this text")
      .argument("[args...]")
      .allowUnknownOption()
      .passThroughOptions()
      .action((args: string[]) => set(run(args)));
  };
  for (const entry of KERNEL_TOOLS)
    tool(entry.name, entry.about, entry.usage, (args) => run_kernel_tool(program, entry, args));
  for (const entry of HOST_TOOLS)
    tool(entry.name, entry.about, entry.usage, (args) => run_host_tool(program, entry, args));
  tool("halt", "end a kernel", "", (args) => halt(program, args));
  return program;
}

/** Runs the command; the exit status. */
async function rump_main(argv: readonly string[]): Promise<number> {
  let status: Promise<number> | null = null;
  try {
    rump_program((s) => {
      status = s;
    }).parse([...argv]);
    return (await (status as Promise<number> | null)) ?? EXIT_OK;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    if (error instanceof ToolError) {
      err(`rump: ${error.message}`);
      return error.status;
    }
    if (error instanceof NativeHostError) {
      err(`rump: ${error.message}`);
      return EXIT_ENVIRONMENT;
    }
    if (error instanceof RumpError) {
      err(`rump: ${error_text(error)}`);
      return EXIT_FAILURE;
    }
    throw error;
  }
}

process.stdout.on("error", () => process.exit(EXIT_FAILURE));
process.exitCode = await rump_main(process.argv);
