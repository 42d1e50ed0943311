/** route flush: removes every route through a gateway, as NetBSD's does. */
import { RTF_GATEWAY, RTF_HOST, RTM_DELETE, RtInfo } from "../../kernel-components/net/rtentry.ts";
import { NET_RT_DUMP } from "../../kernel-components/net/rtsock_sysctl.ts";
import { AF_INET } from "../../kernel-components/socket/socket_abi.ts";
import { ifnames } from "./iflist.ts";
import { rt_destination } from "./netstat_route.ts";
import { rt_addr_text, rt_ask, rt_dump, rt_request } from "./rt_messages.ts";
import { EXIT_OK } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** Removes every route through a gateway. */
export async function route_flush(cx: ToolContext, quiet: boolean): Promise<number> {
  const names = await ifnames(cx.sys);
  const gone: object[] = [];
  for (const msg of await rt_dump(cx.sys, AF_INET, NET_RT_DUMP, 0)) {
    if ((msg.flags & RTF_GATEWAY) === 0) continue;
    const info = new RtInfo();
    info.rti_dst = msg.info.rti_dst;
    if ((msg.flags & RTF_HOST) === 0) info.rti_netmask = msg.info.rti_netmask;
    await rt_ask(cx.sys, rt_request(RTM_DELETE, msg.flags & RTF_HOST, 1, info).bytes);
    const dst = rt_destination(msg);
    const gateway = rt_addr_text(msg.info.rti_gateway, names);
    gone.push({ destination: dst, gateway });
    if (!quiet && !cx.json) cx.out(`${dst.padEnd(20)} ${gateway.padEnd(20)} done`);
  }
  if (cx.json) cx.out(JSON.stringify(gone));
  return EXIT_OK;
}
