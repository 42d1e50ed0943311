/**
 * sysctl(8).
 *
 *   sysctl [-dnx] -a | NAME...      sysctl [-nq] -w NAME=VALUE...
 */
import { EISDIR, ENOENT } from "../../hypercall/api/errno.ts";
import { bytes_to_string } from "../../kernel-components/kern/sysctl_bytes.ts";
import {
  CTL_DESCRIBE,
  CTL_QUERY,
  CTLTYPE_BOOL,
  CTLTYPE_INT,
  CTLTYPE_NODE,
  CTLTYPE_QUAD,
  CTLTYPE_STRING,
  CTLTYPE_STRUCT,
} from "../../kernel-components/kern/sysctl_mib.ts";
import { SYSCTLDESC_HDR } from "../../kernel-components/kern/sysctl_query.ts";
import { SYSCTL_ROOT, sysctl_nodes, sysctl_value } from "../client/remote_sysctl.ts";
import type { SysctlInfo } from "../client/remote_sysctl.ts";
import { getopt } from "./getopt.ts";
import { RumpError } from "../errors.ts";
import { EXIT_FAILURE, EXIT_OK, UsageError } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** A value for people: structures in hexadecimal. */
function text_of(value: number | string | Uint8Array, hex: boolean): string {
  if (value instanceof Uint8Array) return Array.from(value, (b) => b.toString(16).padStart(2, "0")).join("");
  return hex && typeof value === "number" ? `0x${value.toString(16)}` : String(value);
}

/** The nodes below `node`; none when a function answers for it all. */
async function below(cx: ToolContext, node: SysctlInfo): Promise<SysctlInfo[]> {
  try {
    return sysctl_nodes(await cx.sys.sysctl([...node.mib, CTL_QUERY]), node);
  } catch {
    return [];
  }
}

/** The leaves of a subtree. */
async function leaves(cx: ToolContext, node: SysctlInfo): Promise<SysctlInfo[]> {
  if (node.type !== CTLTYPE_NODE) return [node];
  const out: SysctlInfo[] = [];
  for (const child of await below(cx, node)) out.push(...(await leaves(cx, child)));
  return out;
}

async function find(cx: ToolContext, name: string): Promise<SysctlInfo | null> {
  let node = SYSCTL_ROOT;
  for (const part of name.split(/[./]/)) {
    const whole = node.name === "" ? part : `${node.name}.${part}`;
    const next: SysctlInfo | undefined = (await below(cx, node)).find((c) => c.name === whole);
    if (next === undefined) return null;
    node = next;
  }
  return node;
}

/** sysctl(8). */
export async function sysctl(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "adnqwx", true);
  const json: Record<string, unknown> = {};
  let status = EXIT_OK;
  if (o.operands.length === 0 && !o.has("a")) throw new UsageError("which? a name, NAME=VALUE, or -a");
  const list = o.has("a") ? [""] : o.operands;
  for (const word of list) {
    const eq = word.indexOf("=");
    const ok =
      eq === -1
        ? await show(cx, word, o.has("n"), o.has("x"), o.has("d"), json)
        : await set(cx, word.slice(0, eq), word.slice(eq + 1), o.has("n"), o.has("q"), json);
    if (!ok) status = EXIT_FAILURE;
  }
  if (cx.json) cx.out(JSON.stringify(json));
  return status;
}

async function show(
  cx: ToolContext,
  name: string,
  bare: boolean,
  hex: boolean,
  describe: boolean,
  json: Record<string, unknown>,
): Promise<boolean> {
  const node = name === "" ? SYSCTL_ROOT : await find(cx, name);
  if (node === null) return unknown(cx, name);
  // structures are for programs: in lists they would only be in the way
  const all = (await leaves(cx, node)).filter((leaf) => hex || leaf === node || leaf.type !== CTLTYPE_STRUCT);
  for (const leaf of all) {
    if (describe) {
      const text = await description(cx, leaf);
      if (cx.json) json[leaf.name] = text;
      else cx.out(bare ? text : `${leaf.name}: ${text}`);
      continue;
    }
    const value = sysctl_value(await cx.sys.sysctl(leaf.mib), leaf.type);
    if (cx.json) json[leaf.name] = value instanceof Uint8Array ? text_of(value, false) : value;
    else cx.out(bare ? text_of(value, hex) : `${leaf.name} = ${text_of(value, hex)}`);
  }
  return true;
}

function unknown(cx: ToolContext, name: string): boolean {
  cx.err(`sysctl: ${name}: there is no such node`);
  return false;
}

async function description(cx: ToolContext, leaf: SysctlInfo): Promise<string> {
  const bytes = await cx.sys.sysctl([...leaf.mib.slice(0, -1), CTL_DESCRIBE]);
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + SYSCTLDESC_HDR <= bytes.length; ) {
    const len = dv.getUint32(at + 8, true);
    if (dv.getInt32(at, true) === leaf.mib.at(-1))
      return bytes_to_string(bytes.subarray(at + SYSCTLDESC_HDR, at + SYSCTLDESC_HDR + len));
    at += (SYSCTLDESC_HDR + len + 3) & ~3;
  }
  return "";
}

async function set(
  cx: ToolContext,
  name: string,
  text: string,
  bare: boolean,
  quiet: boolean,
  json: Record<string, unknown>,
): Promise<boolean> {
  const node = await find(cx, name);
  if (node === null) return unknown(cx, name);
  const numeric = node.type === CTLTYPE_INT || node.type === CTLTYPE_QUAD || node.type === CTLTYPE_BOOL;
  if (!numeric && node.type !== CTLTYPE_STRING)
    throw new UsageError(`${name}: only numbers and strings can be set from the command line`);
  if (numeric && !/^-?(\d{1,16}|0x[0-9a-fA-F]{1,13})$/.test(text))
    throw new UsageError(`${name}: ${JSON.stringify(text)} is not a whole number`);
  try {
    const old = await cx.sys.sysctlbyname(name, numeric ? Number(text) : text);
    const now = sysctl_value(await cx.sys.sysctl(node.mib), node.type);
    if (cx.json) json[name] = { old, new: now };
    else if (!quiet) cx.out(bare ? text_of(now, false) : `${name}: ${text_of(old, false)} -> ${text_of(now, false)}`);
    return true;
  } catch (error) {
    if (!(error instanceof RumpError) || error.errno === ENOENT || error.errno === EISDIR) throw error;
    const why = node.writable ? `${text} is refused: ${error.describe()}` : "it can only be read";
    cx.err(`sysctl: ${name}: ${error.code}: ${why}`);
    return false;
  }
}
