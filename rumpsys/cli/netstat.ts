/**
 * netstat(1): sockets, or with -r routes (-L: without neighbours), -i interfaces, -s counters (-p PROTOCOL), -m mbufs. Numbers are never
 * turned into names, so -n changes nothing; -a shows sockets that are not connected too.
 */
import { ether_ntoa } from "../../kernel-components/wire/ether_text.ts";
import { in_len2mask } from "../../kernel-components/wire/in.ts";
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { getopt } from "./getopt.ts";
import { iflist } from "./iflist.ts";
import type { IfInfo } from "./iflist.ts";
import { prefix_text } from "./inet_args.ts";
import { netstat_routes } from "./netstat_route.ts";
import { netstat_mbufs, netstat_stats } from "./netstat_stats.ts";
import { addr_port, pcb_json, pcblist } from "./pcblist.ts";
import { EXIT_OK, ToolError, UsageError } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** netstat(1). */
export async function netstat(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "aniI:rsmp:f:bLd");
  if (o.operands.length > 0) throw new UsageError(`${o.operands.join(" ")}: netstat takes no operands`);
  const family = o.value("f");
  if (family !== undefined && family !== "inet") throw new UsageError(`-f ${family}: this kernel has only inet`);
  if (o.has("m")) return netstat_mbufs(cx);
  if (o.has("s") || o.has("p")) return netstat_stats(cx, o.value("p"));
  if (o.has("r")) return netstat_routes(cx, !o.has("L"));
  if (o.has("i") || o.has("I")) return interfaces(cx, o.value("I"), o.has("b"), o.has("d"));
  return sockets(cx, o.has("a"));
}

async function interfaces(cx: ToolContext, only: string | undefined, bytes: boolean, drops: boolean): Promise<number> {
  const list = (await iflist(cx.sys)).filter((i) => only === undefined || i.name === only);
  if (list.length === 0) throw new ToolError(`${only}: no such interface`);
  if (cx.json) {
    cx.out(JSON.stringify(list.map((i) => ({ name: i.name, mtu: i.mtu, ...i.counters }))));
    return EXIT_OK;
  }
  const tail = drops ? " Drops" : "";
  cx.out(
    bytes
      ? `Name  Mtu   Network       Address               Ibytes               Obytes${tail}`
      : `Name  Mtu   Network       Address              Ipkts Ierrs    Opkts Oerrs Colls${tail}`,
  );
  for (const i of list) {
    const link = i.lladdr.length === 6 ? ether_ntoa(i.lladdr) : "";
    cx.out(interface_line(i, "<Link>", link, bytes, drops));
    for (const a of i.addresses) {
      cx.out(
        interface_line(i, prefix_text(a.addr & in_len2mask(a.prefixlen), a.prefixlen), inet_ntoa(a.addr), bytes, drops),
      );
    }
  }
  return EXIT_OK;
}

function interface_line(i: IfInfo, network: string, address: string, bytes: boolean, drops: boolean): string {
  const c = i.counters;
  const head = `${i.name.padEnd(5)} ${String(i.mtu).padEnd(5)} ${network.padEnd(13)} ${address.padEnd(17)}`;
  const tail = drops ? ` ${String(c.iqdrops).padStart(5)}` : "";
  if (bytes) return `${head} ${String(c.ibytes).padStart(9)} ${String(c.obytes).padStart(20)}${tail}`;
  const num = (v: number, width: number): string => String(v).padStart(width);
  return `${head} ${num(c.ipackets, 8)} ${num(c.ierrors, 5)} ${num(c.opackets, 8)} ${num(c.oerrors, 5)} ${num(c.collisions, 5)}${tail}`;
}

async function sockets(cx: ToolContext, all: boolean): Promise<number> {
  const list = (await pcblist(cx.sys)).filter((p) => all || p.faddr !== 0);
  if (cx.json) {
    cx.out(JSON.stringify(list.map(pcb_json)));
    return EXIT_OK;
  }
  cx.out(`Active Internet connections${all ? " (including servers)" : ""}`);
  cx.out("Proto Recv-Q Send-Q  Local Address          Foreign Address        State");
  for (const p of list) {
    const proto = p.proto === "raw" ? `ip${p.protocol}` : p.proto;
    const q = `${String(p.recvq).padStart(6)} ${String(p.sendq).padStart(6)}`;
    cx.out(`${proto.padEnd(5)} ${q}  ${addr_port(p.laddr, p.lport).padEnd(22)} ${addr_port(p.faddr, p.fport)}`);
  }
  return EXIT_OK;
}
