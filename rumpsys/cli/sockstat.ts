/** sockstat(1): whose sockets there are. -c connected ones only, -l others only; addresses are never turned into names (-n). */
import { getopt } from "./getopt.ts";
import { addr_port, pcb_json, pcblist } from "./pcblist.ts";
import { EXIT_OK, UsageError } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** sockstat(1). */
export async function sockstat(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "4cln");
  if (o.operands.length > 0) throw new UsageError(`${o.operands.join(" ")}: sockstat takes no operands`);
  const both = o.has("c") === o.has("l");
  const list = (await pcblist(cx.sys)).filter((p) => both || (p.faddr !== 0) === o.has("c"));
  if (cx.json) {
    cx.out(JSON.stringify(list.map(pcb_json)));
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
  return EXIT_OK;
}
