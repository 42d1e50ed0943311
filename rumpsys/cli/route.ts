/**
 * route(8).
 *
 *   route [-nqv] add|delete|change|get [-inet] [-host|-net] DESTINATION [-interface] [GATEWAY] [-netmask MASK] [-blackhole] [-reject] ...
 *   route [-n] show [-inet] | flush | monitor
 */
import { inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import {
  RTF_GATEWAY,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELETE,
  RTM_GET,
  RTM_LOCK,
} from "../../kernel-components/net/rtentry.ts";
import { ESRCH } from "../../hypercall/api/errno.ts";
import { getopt } from "./getopt.ts";
import { ifnames } from "./iflist.ts";
import { netstat_routes } from "./netstat_route.ts";
import { route_parse } from "./route_args.ts";
import type { RouteRequest } from "./route_args.ts";
import { route_monitor } from "./route_monitor.ts";
import { route_flush } from "./route_flush.ts";
import { rt_addr_text, rt_ask, rt_masklen } from "./rt_messages.ts";
import type { RtMsg } from "./rt_messages.ts";
import { bit_names, RTFBITS, snprintb } from "./snprintb.ts";
import { in_len2mask } from "../../kernel-components/wire/in.ts";
import { EXIT_FAILURE, EXIT_OK, UsageError, errno_of } from "./tool.ts";
import type { ToolContext } from "./tool.ts";
import { RumpError } from "../errors.ts";

const COMMANDS: ReadonlyMap<string, number> = new Map([
  ["add", RTM_ADD],
  ["delete", RTM_DELETE],
  ["change", RTM_CHANGE],
  ["get", RTM_GET],
  ["lock", RTM_LOCK],
]);

/** route(8). */
export async function route(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "nqvd");
  const [command, ...rest] = o.operands;
  if (command === undefined)
    throw new UsageError("a command is missing: add, delete, change, get, show, flush, monitor");
  switch (command) {
    case "show":
      only_inet(rest);
      return netstat_routes(cx, false);
    case "flush":
      only_inet(rest);
      return route_flush(cx, o.has("q"));
    case "monitor":
      if (rest.length > 0) throw new UsageError(`monitor takes nothing: ${rest.join(" ")}`);
      return route_monitor(cx);
    default:
  }
  const type = COMMANDS.get(command);
  if (type === undefined) throw new UsageError(`unknown command ${JSON.stringify(command)}`);
  const req = await route_parse(cx.sys, type, rest);
  if (type === RTM_GET) return route_get(cx, req);
  return route_set(cx, command, req, o.has("q"));
}

function only_inet(rest: readonly string[]): void {
  const odd = rest.find((word) => word !== "-inet");
  if (odd !== undefined) throw new UsageError(`${JSON.stringify(odd)} has no place here`);
}

async function route_set(cx: ToolContext, command: string, req: RouteRequest, quiet: boolean): Promise<number> {
  const what = `${command} ${req.host ? "host" : "net"} ${req.text}`;
  const gateway = req.gateway_text === "" ? "" : `: gateway ${req.gateway_text}`;
  let errno = 0;
  try {
    await rt_ask(cx.sys, req.bytes);
  } catch (error) {
    errno = errno_of(error);
    if (errno === 0) throw error;
  }
  const failure = errno === 0 ? "" : errno === ESRCH ? "not in table" : new RumpError("route", errno).describe();
  if (cx.json)
    cx.out(
      JSON.stringify({
        command,
        destination: req.text,
        gateway: req.gateway_text || null,
        ok: errno === 0,
        error: failure || null,
      }),
    );
  else if (errno !== 0) cx.err(`${what}${gateway}: ${failure}`);
  else if (!quiet) cx.out(`${what}${gateway}`);
  return errno === 0 ? EXIT_OK : EXIT_FAILURE;
}

async function route_get(cx: ToolContext, req: RouteRequest): Promise<number> {
  let msg: RtMsg;
  try {
    msg = await rt_ask(cx.sys, req.bytes);
  } catch (error) {
    if (errno_of(error) !== ESRCH) throw error;
    cx.err(`route get: ${req.text}: not in table`);
    return EXIT_FAILURE;
  }
  const names = await ifnames(cx.sys);
  if (cx.json) cx.out(JSON.stringify(route_json(req, msg, names)));
  else for (const line of route_lines(req, msg, names)) cx.out(line);
  return EXIT_OK;
}

function route_json(req: RouteRequest, msg: RtMsg, names: ReadonlyMap<number, string>): object {
  const i = msg.info;
  return {
    route_to: req.text,
    destination: rt_addr_text(i.rti_dst, names),
    prefixlen: i.rti_netmask === null ? 32 : rt_masklen(i.rti_netmask),
    gateway: i.rti_gateway === null || (msg.flags & RTF_GATEWAY) === 0 ? null : rt_addr_text(i.rti_gateway, names),
    local_addr: i.rti_ifaaddr === null ? null : rt_addr_text(i.rti_ifaaddr, names),
    interface: names.get(msg.index) ?? null,
    flags: bit_names(RTFBITS, msg.flags),
    metrics: msg.metrics,
  };
}

function route_lines(req: RouteRequest, msg: RtMsg, names: ReadonlyMap<number, string>): string[] {
  const i = msg.info;
  const lines: string[] = [];
  const say = (what: string, text: string): void => void lines.push(`${what.padStart(11)}: ${text}`);
  say("route to", req.text);
  say(
    "destination",
    i.rti_dst !== null && rt_masklen(i.rti_netmask) === 0 && i.rti_netmask !== null
      ? "default"
      : rt_addr_text(i.rti_dst, names),
  );
  if (i.rti_netmask !== null)
    say("mask", rt_masklen(i.rti_netmask) === 0 ? "default" : inet_ntoa(in_len2mask(rt_masklen(i.rti_netmask))));
  if ((msg.flags & RTF_GATEWAY) !== 0) say("gateway", rt_addr_text(i.rti_gateway, names));
  if (i.rti_ifaaddr !== null) say("local addr", rt_addr_text(i.rti_ifaaddr, names));
  if (msg.index !== 0) say("interface", names.get(msg.index) ?? `#${msg.index}`);
  say("flags", snprintb(RTFBITS, msg.flags));
  const m = msg.metrics;
  if (m === null) return lines;
  lines.push(" recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire");
  const expire = m.expire === 0 ? 0 : m.expire;
  const row = [
    m.recvpipe,
    m.sendpipe,
    m.ssthresh,
    Math.round(m.rtt / 1000),
    Math.round(m.rttvar / 1000),
    m.hopcount,
    m.mtu,
    expire,
  ];
  const widths = [9, 10, 10, 10, 10, 10, 9, 11];
  lines.push(`${row.map((v, at) => String(v).padStart(widths[at] as number)).join("")} `);
  return lines;
}
