/** route monitor: prints what routing sockets are told, until interrupted. */
import { POLLIN } from "../../kernel-components/kern/select.ts";
import * as R from "../../kernel-components/net/rtentry.ts";
import { rt_info_addrs } from "../../kernel-components/net/rtsock_abi.ts";
import { AF_INET, PF_ROUTE, SOCK_RAW } from "../../kernel-components/socket/socket_abi.ts";
import { ifnames } from "./iflist.ts";
import { rt_addr_text, rt_messages } from "./rt_messages.ts";
import type { RtMsg } from "./rt_messages.ts";
import { bit_names, IFFBITS, IN_IFFBITS, RTFBITS } from "./snprintb.ts";
import { EXIT_OK } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

const TYPES: ReadonlyMap<number, string> = new Map([
  [R.RTM_ADD, "RTM_ADD"],
  [R.RTM_DELETE, "RTM_DELETE"],
  [R.RTM_CHANGE, "RTM_CHANGE"],
  [R.RTM_GET, "RTM_GET"],
  [R.RTM_LOSING, "RTM_LOSING"],
  [R.RTM_REDIRECT, "RTM_REDIRECT"],
  [R.RTM_MISS, "RTM_MISS"],
  [R.RTM_LOCK, "RTM_LOCK"],
  [R.RTM_IFANNOUNCE, "RTM_IFANNOUNCE"],
  [R.RTM_LLINFO_UPD, "RTM_LLINFO_UPD"],
  [R.RTM_IFINFO, "RTM_IFINFO"],
  [R.RTM_NEWADDR, "RTM_NEWADDR"],
  [R.RTM_DELADDR, "RTM_DELADDR"],
  [R.RTM_CHGADDR, "RTM_CHGADDR"],
]);
const ADDR_NAMES: readonly string[] = ["dst", "gateway", "netmask", "genmask", "ifp", "ifa", "author", "brd", "tag"];
const MSG_MAX = 2048;
/** How often an interrupt is looked for, in ms. */
const POLL_MS = 200;

/** A message as one line. */
export function rt_line(msg: RtMsg, names: ReadonlyMap<number, string>): string {
  const j = rt_json(msg, names);
  return Object.entries(j)
    .map(([k, v]) => (k === "type" ? String(v) : `${k} ${Array.isArray(v) ? `<${v.join(",")}>` : String(v)}`))
    .join(" ");
}

/** A message as an object: what it does not have is left out. */
export function rt_json(msg: RtMsg, names: ReadonlyMap<number, string>): Record<string, unknown> {
  const j: Record<string, unknown> = { type: TYPES.get(msg.type) ?? `type ${msg.type}` };
  if (msg.index !== 0) j["if"] = msg.name !== "" ? msg.name : (names.get(msg.index) ?? `#${msg.index}`);
  if (msg.type === R.RTM_IFANNOUNCE) j["what"] = msg.what === 0 ? "arrival" : "departure";
  const bits = msg.type === R.RTM_IFINFO ? IFFBITS : RTFBITS;
  if (msg.flags !== 0) j["flags"] = bit_names(bits, msg.flags);
  if (msg.addrflags !== 0) j["addrflags"] = bit_names(IN_IFFBITS, msg.addrflags);
  if (msg.pid !== 0) j["pid"] = msg.pid;
  if (msg.errno !== 0) j["errno"] = msg.errno;
  rt_info_addrs(msg.info).forEach((sa, i) => {
    if (sa !== null && sa.length > 4)
      j[ADDR_NAMES[i] as string] = rt_addr_text(sa[1] === 0 ? mask_as_inet(sa) : sa, names);
  });
  return j;
}

function mask_as_inet(sa: Uint8Array): Uint8Array {
  const copy = sa.slice();
  copy[1] = AF_INET;
  return copy;
}

/** Prints messages until interrupted. */
export async function route_monitor(cx: ToolContext): Promise<number> {
  const s = await cx.sys.socket(PF_ROUTE, SOCK_RAW, 0);
  const buf = new Uint8Array(MSG_MAX);
  while (!cx.signal.aborted) {
    if ((await cx.sys.poll([{ fd: s, events: POLLIN }], POLL_MS)) === 0) continue;
    const n = await cx.sys.read(s, buf);
    const names = await ifnames(cx.sys);
    for (const msg of rt_messages(buf.slice(0, n)))
      cx.out(cx.json ? JSON.stringify(rt_json(msg, names)) : rt_line(msg, names));
  }
  await cx.sys.close(s);
  return EXIT_OK;
}
