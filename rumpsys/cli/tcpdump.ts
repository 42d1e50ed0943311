/**
 * rump tcpdump: what an interface of a kernel sees, as text or as a pcap file. Filters are left to who reads the file.
 *
 *   rump tcpdump -i IF [-p] [-c COUNT] [-w FILE|-]
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { ENXIO } from "../../hypercall/api/errno.ts";
import { pcap_file_header, pcap_record } from "../../kernel-components/wire/pcap.ts";
import { trace_bytes } from "../../kernel-components/wire/trace.ts";
import { BpfCapture } from "./bpf_capture.ts";
import type { BpfPacket } from "./bpf_capture.ts";
import { getopt } from "./getopt.ts";
import { EXIT_ENVIRONMENT, EXIT_OK, errno_of, ToolError, UsageError } from "./tool.ts";
import type { ToolContext } from "./tool.ts";

/** How often an interrupt is looked for, in ms. */
const POLL_MS = 200;

/** rump tcpdump. */
export async function tcpdump(cx: ToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "i:c:w:np", true);
  const name = o.value("i");
  if (name === undefined) throw new UsageError("which interface? -i IF");
  if (o.operands.length > 0)
    throw new UsageError(`${o.operands.join(" ")}: no filters here; write a file and filter it with tcpdump -r`);
  const count = o.number("c", "-c", Number.POSITIVE_INFINITY, 1, 1e9);
  const file = o.value("w");
  const bpf = await open_bpf(cx, name, !o.has("p"));
  const fd = file === undefined || file === "-" ? -1 : open_file(file);
  const sink = file === undefined ? null : fd === -1 ? cx.out_bytes : (bytes: Uint8Array) => void writeSync(fd, bytes);
  let seen = 0;
  try {
    if (sink !== null) sink(pcap_file_header(bpf.linktype));
    else if (!cx.json) cx.err(`listening on ${name}`);
    while (seen < count && !cx.signal.aborted) {
      for (const p of await bpf.read(POLL_MS)) {
        if (seen++ >= count) break;
        if (sink !== null) sink(pcap_record(p.sec, p.nsec, p.data, p.datalen));
        else
          cx.out(
            cx.json ? JSON.stringify(packet_json(p, bpf.linktype)) : `${time(p)} ${trace_bytes(p.data, bpf.linktype)}`,
          );
      }
    }
    const { received, dropped } = await bpf.stats();
    if (!cx.json)
      cx.err(`${Math.min(seen, count)} packets captured, ${received} received by filter, ${dropped} dropped by kernel`);
    return EXIT_OK;
  } finally {
    if (fd !== -1) closeSync(fd);
    await bpf.close();
  }
}

async function open_bpf(cx: ToolContext, name: string, promiscuous: boolean): Promise<BpfCapture> {
  try {
    return await BpfCapture.open(cx.sys, name, promiscuous);
  } catch (error) {
    if (errno_of(error) === ENXIO) throw new ToolError(`${name}: no such interface`);
    throw error;
  }
}

function open_file(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new ToolError(`${path}: ${error instanceof Error ? error.message : String(error)}`, EXIT_ENVIRONMENT);
  }
}

function time(p: BpfPacket): string {
  return `${p.sec}.${String(Math.floor(p.nsec / 1000)).padStart(6, "0")}`;
}

function packet_json(p: BpfPacket, linktype: number): object {
  return { time_s: p.sec + p.nsec / 1e9, length: p.datalen, text: trace_bytes(p.data, linktype) };
}
