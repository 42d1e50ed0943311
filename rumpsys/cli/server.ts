/**
 * rump server: a kernel behind a URL.
 *
 *   rump server [-sv] [-c 1] [-r RAM] [-l COMPONENT]... [--name NAME] [--if IF[=LINKSTR][,ADDR/LEN]...]... [--with-parent] unix://PATH
 *
 * Without -s the command returns when the URL is live, and the kernel goes on in the background.
 */
import { closeSync, constants as file_constants, openSync, rmSync, statSync } from "node:fs";
import { constants } from "node:os";
import { ENXIO } from "../../hypercall/api/errno.ts";
import {
  parseMemlimit,
  RUMPUSER_PARAM_HOSTNAME,
  RUMPUSER_PARAM_MEMLIMIT,
  RUMPUSER_PARAM_VERBOSE,
} from "../../hypercall/api/param.ts";
import { loadAddon } from "../../hypercall/native/addon.ts";
import { DAEMON_ENV, daemonize } from "../../hypercall/native/daemonize.ts";
import { nativeHost } from "../../hypercall/native/native_host.ts";
import type { NativeHost } from "../../hypercall/native/native_host.ts";
import { sp_parse } from "../../hypercall/native/sp_url.ts";
import type { RumpComponent } from "../../kernel-components/kern/component.ts";
import { RumpInitError } from "../../kernel-components/kern/component.ts";
import { rump_calls } from "../client/rump_calls.ts";
import { RumpError } from "../errors.ts";
import { rump_init_sync } from "../rump_init.ts";
import type { RumpKernel } from "../rump_kernel.ts";
import { rump_init_server } from "../server/sp_server.ts";
import { components_named } from "./components.ts";
import { ifconfig } from "./ifconfig.ts";
import { parse_prefix } from "./inet_args.ts";
import { EXIT_ENVIRONMENT, EXIT_FAILURE, EXIT_OK, host_clock, run_tool, ToolError, UsageError } from "./tool.ts";

const STDOUT = 1;
const STDERR = 2;
/** A kernel in the background at unix://PATH writes to PATH.log. */
const LOG_SUFFIX = ".log";
const LOG_MODE = 0o600;
const SIGTERM = constants.signals.SIGTERM;

/** What a server was asked to be. */
export interface ServerOptions {
  readonly url: string;
  readonly foreground: boolean;
  readonly verbose: boolean;
  readonly with_parent: boolean;
  readonly name: string | null;
  readonly ram: string | null;
  readonly components: readonly RumpComponent[];
  /** Interfaces, as given. */
  readonly ifs: readonly string[];
}

/** How commander hands the options over. */
export interface ServerFlags {
  readonly s?: boolean;
  readonly v?: boolean;
  readonly c?: string;
  readonly r?: string;
  readonly l?: readonly string[];
  readonly name?: string;
  readonly if?: readonly string[];
  readonly withParent?: boolean;
}

/** Checks the options. Throws UsageError. */
export function server_options(flags: ServerFlags, url: string): ServerOptions {
  const address = sp_parse(url);
  if (address.err !== 0) throw new UsageError(address.text);
  if (flags.c !== undefined && flags.c !== "1")
    throw new UsageError(`-c ${flags.c}: a kernel in JavaScript has one CPU`);
  if (flags.r !== undefined && parseMemlimit(flags.r) <= 0)
    throw new UsageError(`-r ${flags.r}: bytes with an optional k, m or g`);
  if (flags.name !== undefined && !/^[\x21-\x7e]{1,255}$/.test(flags.name))
    throw new UsageError("--name: 1 to 255 printable characters");
  for (const spec of flags.if ?? []) if_words(spec);
  return {
    url,
    foreground: flags.s === true,
    verbose: flags.v === true,
    with_parent: flags.withParent === true,
    name: flags.name ?? null,
    ram: flags.r ?? null,
    components: components_named(flags.l ?? []),
    ifs: flags.if ?? [],
  };
}

/** IF[=LINKSTR][,ADDR/LEN]... as the words of ifconfig, a list for each call. */
export function if_words(spec: string): string[][] {
  const match = /^([a-z]+[0-9]+)(?:=([^,]+))?((?:,[0-9.]+\/[0-9]+)*)$/.exec(spec);
  if (match === null)
    throw new UsageError(`--if ${spec}: IF[=LINKSTR][,ADDR/LEN]..., such as shmif0=/tmp/bus,10.0.0.1/24`);
  const [, name, linkstr, addresses] = match as unknown as [string, string, string | undefined, string];
  for (const a of addresses.split(",").slice(1)) parse_prefix(a, `--if ${spec}: address`);
  const calls = name === "lo0" ? [] : [[name, "create"]];
  if (linkstr !== undefined) calls.push([name, "linkstr", linkstr]);
  for (const a of addresses.split(",").slice(1)) calls.push([name, "inet", a, "alias"]);
  calls.push([name, "up"]);
  return calls;
}

/** rump server. `self`: the arguments that start this program again, without options of its own. */
export async function server(o: ServerOptions, self: readonly string[], say: (line: string) => void): Promise<number> {
  return o.foreground ? serve(o, say) : background(o, self, say);
}

/** Starts the same command in the background and waits until it serves. */
async function background(o: ServerOptions, self: readonly string[], say: (line: string) => void): Promise<number> {
  if (o.with_parent) throw new UsageError("--with-parent goes with -s: a server in the background has no parent");
  loadAddon();
  const outcome = await daemonize(self, process.env);
  if (outcome.error === 0) return EXIT_OK;
  if (outcome.error === null) say(`rump server: the kernel ended before it served, with status ${outcome.status}`);
  return outcome.error === null ? (outcome.status ?? EXIT_FAILURE) : EXIT_ENVIRONMENT;
}

async function serve(o: ServerOptions, say: (line: string) => void): Promise<number> {
  const params: Record<string, string> = {};
  if (o.name !== null) params[RUMPUSER_PARAM_HOSTNAME] = o.name;
  if (o.ram !== null) params[RUMPUSER_PARAM_MEMLIMIT] = o.ram;
  if (o.verbose) params[RUMPUSER_PARAM_VERBOSE] = "1";
  if (o.with_parent) die_with_parent();
  const daemon = process.env[DAEMON_ENV] !== undefined;
  const host = nativeHost({ params });
  if (daemon) host.daemon.rumpuser_daemonize_begin();
  let rk: RumpKernel | null = null;
  let log: string | null = null;
  try {
    rk = rump_init_sync(host, o.components);
    const end = ending();
    for (const spec of o.ifs) await configure(rk, host, spec, say);
    await rump_init_server(rk.k, o.url, { halt: () => setImmediate(end.now), failed: () => setImmediate(end.now) });
    if (daemon) log = detach(host, o.url);
    await end.promise;
  } catch (error) {
    if (!(error instanceof RumpError || error instanceof RumpInitError)) throw error;
    say(`rump server: ${error.message}`);
    rk?.shutdown();
    host.close();
    if (daemon) host.daemon.rumpuser_daemonize_done(error.errno || ENXIO);
    return EXIT_ENVIRONMENT;
  }
  const report = rk.shutdown();
  host.close();
  if (o.verbose)
    say(
      report.text === ""
        ? `rump server: ${o.url}: shut down, nothing leaked`
        : `rump server: ${o.url}: leaked:\n${report.text}`,
    );
  if (log !== null) log_remove_empty(log);
  return report.text === "" ? EXIT_OK : EXIT_FAILURE;
}

/** The end: a signal or a client's request. */
function ending(): { readonly promise: Promise<void>; readonly now: () => void } {
  let now: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    now = resolve;
  });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => now());
  return { promise, now };
}

async function configure(rk: RumpKernel, host: NativeHost, spec: string, say: (line: string) => void): Promise<void> {
  const cx = {
    sys: rump_calls(rk.rumpSys),
    out: say,
    out_bytes: () => undefined,
    err: say,
    json: false,
    clock: host_clock(host),
    signal: new AbortController().signal,
  };
  for (const words of if_words(spec)) {
    if ((await run_tool(`rump server: --if ${spec}`, ifconfig, cx, words)) !== EXIT_OK) {
      throw new RumpError("ifconfig", ENXIO, undefined, undefined, `--if ${spec} did not work`);
    }
  }
}

/**
 * The one who waits may go on; standard error was only lent. From here on both outputs are a file beside the socket, so that what a kernel
 * says when it panics is not lost. The result is the file's path.
 */
function detach(host: NativeHost, url: string): string {
  const path = `${sp_parse(url).path}${LOG_SUFFIX}`;
  host.daemon.rumpuser_daemonize_done(0);
  for (const fd of [STDOUT, STDERR]) closeSync(fd);
  for (const fd of [STDOUT, STDERR]) {
    const got = open_log(path);
    if (got !== fd) throw new ToolError(`descriptor ${got} where ${fd} was expected`);
  }
  return path;
}

/** The log, to append to. A folder that has become read-only, or a link in its place, costs the log and not the kernel. */
function open_log(path: string): number {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = file_constants;
  try {
    return openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, LOG_MODE);
  } catch {
    return openSync("/dev/null", "w");
  }
}

/** Nothing was said: no file is left. */
function log_remove_empty(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) rmSync(path, { force: true });
}

/** A signal when the process that started this one ends. */
function die_with_parent(): void {
  const parent = process.ppid;
  const err = loadAddon().pdeathsig(SIGTERM);
  if (err < 0) throw new ToolError(`--with-parent: Linux errno ${-err}`, EXIT_ENVIRONMENT);
  if (process.ppid !== parent) process.kill(process.pid, SIGTERM);
}
