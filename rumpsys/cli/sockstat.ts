/**
 * sockstat(1): whose sockets there are, of IPv4 (-4), of PF_LOCAL (-u), or of both. -c connected ones only, -l others only; addresses are never turned into
 * names (-n).
 */
import { getopt } from "./getopt.ts";
import { addr_port, pcb_json, pcblist, unpcblist } from "./pcblist.ts";
import { EXIT_OK, UsageError } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** sockstat(1). */
export async function sockstat(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "4clnu");
  if (o.operands.length > 0) throw new UsageError(`${o.operands.join(" ")}: sockstat takes no operands`);
  const both = o.has("c") === o.has("l");
  const all = o.has("4") === o.has("u");
  const list = all || o.has("4") ? (await pcblist(cx.sys)).filter((p) => both || (p.faddr !== 0) === o.has("c")) : [];
  const local = all || o.has("u") ? (await unpcblist(cx.sys)).filter((p) => both || (p.peer !== 0) === o.has("c")) : [];
  if (cx.json) {
    cx.out(JSON.stringify([...list.map(pcb_json), ...local]));
    return EXIT_OK;
  }
  cx.out("USER     PID    PROTO  LOCAL ADDRESS         FOREIGN ADDRESS");
  for (const p of list) {
    const user = p.uid === 0 ? "root" : String(p.uid);
    const proto = p.proto === "raw" ? `ip${p.protocol}` : p.proto;
    cx.out(
      `${user.padEnd(8)} ${String(p.pid).padEnd(6)} ${proto.padEnd(6)} ${addr_port(p.laddr, p.lport).padEnd(21)} ${addr_port(p.faddr, p.fport)}`,
    );
  }
  for (const p of local) {
    const user = p.uid === 0 ? "root" : String(p.uid);
    const peer = local.find((other) => other.id === p.peer);
    const to =
      p.peer === 0
        ? p.listens
          ? "(listening)"
          : "-"
        : peer === undefined || peer.path === ""
          ? `-> [${p.peer}]`
          : `-> ${peer.path}`;
    const name = p.path === "" ? `[${p.id}]` : p.path;
    cx.out(`${user.padEnd(8)} ${String(p.pid).padEnd(6)} ${p.proto.padEnd(6)} ${name.padEnd(21)} ${to}`);
  }
  return EXIT_OK;
}
