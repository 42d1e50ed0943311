/** The routing table as netstat -r and route show print it. */
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { RTF_HOST, RTF_LLDATA } from "../../kernel-components/net/rtentry.ts";
import { NET_RT_DUMP, NET_RT_FLAGS } from "../../kernel-components/net/rtsock_sysctl.ts";
import { AF_INET } from "../../kernel-components/socket/socket_abi.ts";
import { sin_addr } from "../../kernel-components/wire/sockaddr.ts";
import { ifnames } from "./iflist.ts";
import { rt_addr_text, rt_dump, rt_masklen } from "./rt_messages.ts";
import type { RtMsg } from "./rt_messages.ts";
import { rt_letters } from "./snprintb.ts";
import { EXIT_OK } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** The destination of a route: default, 10.0.0.0/24, 10.0.0.1. */
export function rt_destination(msg: RtMsg): string {
  const dst = msg.info.rti_dst;
  if (dst === null) return "";
  const addr = sin_addr(dst);
  if ((msg.flags & RTF_HOST) !== 0) return inet_ntoa(addr);
  const len = rt_masklen(msg.info.rti_netmask);
  return addr === 0 && len === 0 ? "default" : `${inet_ntoa(addr)}/${len}`;
}

/** Prints the IPv4 routing table; `lldata`: with the neighbours. */
export async function netstat_routes(cx: ToolContext, lldata: boolean): Promise<number> {
  const names = await ifnames(cx.sys);
  const list = await rt_dump(cx.sys, AF_INET, NET_RT_DUMP, 0);
  if (lldata) list.push(...(await rt_dump(cx.sys, AF_INET, NET_RT_FLAGS, RTF_LLDATA)));
  if (cx.json) {
    cx.out(
      JSON.stringify(
        list.map((m) => ({
          destination: rt_destination(m),
          gateway: rt_addr_text(m.info.rti_gateway, names),
          flags: rt_letters(m.flags),
          use: m.use,
          mtu: m.metrics?.mtu ?? 0,
          interface: names.get(m.index) ?? null,
        })),
      ),
    );
    return EXIT_OK;
  }
  cx.out("Routing tables");
  cx.out("");
  cx.out("Internet:");
  cx.out("Destination        Gateway            Flags    Refs      Use    Mtu Interface");
  for (const m of list) {
    const mtu = m.metrics === null || m.metrics.mtu === 0 ? "-" : String(m.metrics.mtu);
    const use = m.use === 0 ? "-" : String(m.use);
    const left = `${rt_destination(m).padEnd(18)} ${rt_addr_text(m.info.rti_gateway, names).padEnd(18)} ${rt_letters(m.flags).padEnd(8)}`;
    cx.out(`${left} ${"-".padStart(4)} ${use.padStart(8)} ${mtu.padStart(6)}  ${names.get(m.index) ?? "-"}`);
  }
  return EXIT_OK;
}
