/**
 * ifconfig(8). Without anything to do it shows; else the words are done in their order.
 *
 *   ifconfig -a | -l | -C | IF
 *   ifconfig [-w SECONDS] [-W SECONDS] IF WORDS...
 */
import { SOCK_DGRAM, PF_INET } from "../../kernel-components/socket/socket_abi.ts";
import { if_clonereq, ifr_name, SIOCIFGCLONERS, abi_view } from "../../kernel-components/net/if_abi.ts";
import { IFF_BROADCAST, IFF_UP, LINK_STATE_DOWN } from "../../kernel-components/net/if_flags.ts";
import { IN_IFF_TENTATIVE, IN_IFF_TRYTENTATIVE } from "../../kernel-components/inet/in_var.ts";
import { getopt, parse_seconds } from "./getopt.ts";
import { ifconfig_words } from "./ifconfig_set.ts";
import { ifconfig_json, ifconfig_show } from "./ifconfig_show.ts";
import { ifinfo, iflist } from "./iflist.ts";
import type { IfInfo } from "./iflist.ts";
import { EXIT_FAILURE, EXIT_OK, ToolError, UsageError } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** Most clones that are listed. */
const CLONERS_MAX = 64;
const NAMELEN = 16;
/** How often -w looks whether addresses are still tentative, in ms. */
const WAIT_STEP_MS = 100;

/** Runs `use` with a socket for ioctls. */
async function with_socket<T>(cx: ToolContext, use: (fd: number) => Promise<T>): Promise<T> {
  const fd = await cx.sys.socket(PF_INET, SOCK_DGRAM, 0);
  try {
    return await use(fd);
  } finally {
    await cx.sys.close(fd);
  }
}

/** ifconfig(8). */
export async function ifconfig(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "alCsudbw:W:m");
  const wait = o.value("w");
  const secs = wait === undefined ? 0 : parse_seconds(wait, "-w", 0, 86_400);
  const linger = o.value("W");
  const detached = linger === undefined ? 0 : parse_seconds(linger, "-W", 0, 86_400);
  const [name, ...words] = o.operands;
  if (o.has("C")) return cloners(cx);
  const only = (i: IfInfo): boolean => wanted(i, o.has("u"), o.has("d"), o.has("b"), o.has("s"));
  if (o.has("l")) return names(cx, only);
  if (name === undefined && wait !== undefined) return wait_dad(cx, secs, detached);
  if (name === undefined) {
    if (!o.has("a") && args.length > 0) throw new UsageError("an interface is missing");
    return show(cx, (await iflist(cx.sys)).filter(only), o.has("m"));
  }
  if (o.has("s")) return status(cx, name);
  if (words.length === 0) return show(cx, [await ifinfo(cx.sys, name)], o.has("m"));
  await with_socket(cx, (fd) => ifconfig_words(cx, fd, name, words));
  return wait === undefined ? EXIT_OK : wait_dad(cx, secs, detached);
}

/** -u: up, -d: down, -b: can broadcast, -s: connected to a network. */
function wanted(i: IfInfo, up: boolean, down: boolean, broadcast: boolean, connected: boolean): boolean {
  const is_up = (i.flags & IFF_UP) !== 0;
  if (broadcast && (i.flags & IFF_BROADCAST) === 0) return false;
  if (connected && i.link_state === LINK_STATE_DOWN) return false;
  return up ? is_up : down ? !is_up : true;
}

async function show(cx: ToolContext, list: readonly IfInfo[], media: boolean = false): Promise<number> {
  return with_socket(cx, async (fd) => {
    if (cx.json) cx.out(JSON.stringify(await Promise.all(list.map((i) => ifconfig_json(cx.sys, fd, i)))));
    else for (const i of list) for (const line of await ifconfig_show(cx.sys, fd, i, media)) cx.out(line);
    return EXIT_OK;
  });
}

async function names(cx: ToolContext, only: (i: IfInfo) => boolean): Promise<number> {
  const list = (await iflist(cx.sys)).filter(only).map((i) => i.name);
  cx.out(cx.json ? JSON.stringify(list) : list.join(" "));
  return EXIT_OK;
}

async function cloners(cx: ToolContext): Promise<number> {
  return with_socket(cx, async (fd) => {
    const req = if_clonereq(CLONERS_MAX);
    await cx.sys.ioctl(fd, SIOCIFGCLONERS, req);
    const n = Math.min(abi_view(req).getInt32(0, true), CLONERS_MAX);
    const list: string[] = [];
    for (let i = 0; i < n; i++) list.push(ifr_name(req, 16 + i * NAMELEN));
    cx.out(cx.json ? JSON.stringify(list) : list.join(" "));
    return EXIT_OK;
  });
}

/** -s: 0 when the link is up or unknown, else 1. */
async function status(cx: ToolContext, name: string): Promise<number> {
  return (await ifinfo(cx.sys, name)).link_state === 1 ? EXIT_FAILURE : EXIT_OK;
}

/**
 * -w: waits until no address is tentative any more, so many seconds at most. -W: counts addresses of detached links too, for so long.
 * Fails with an address that is still tentative, as NetBSD's does.
 */
async function wait_dad(cx: ToolContext, secs: number, detached: number): Promise<number> {
  const start = cx.clock.now_ns();
  const busy = async (): Promise<IfInfo | undefined> =>
    (await iflist(cx.sys)).find((i) =>
      i.addresses.some((a) => (a.flags & (IN_IFF_TENTATIVE | IN_IFF_TRYTENTATIVE)) !== 0),
    );
  for (;;) {
    const found = await busy();
    if (found === undefined) return EXIT_OK;
    if ((cx.clock.now_ns() - start) / 1e9 >= Math.max(secs, detached) || cx.signal.aborted) {
      throw new ToolError(`${found.name}: an address is still tentative`);
    }
    await cx.sys.poll([], WAIT_STEP_MS);
  }
}
