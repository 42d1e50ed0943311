/**
 * shmif_pcapin(1): puts the frames of a pcap file on a bus, at once and in their order, through a kernel of its own that attaches for so long.
 *
 *   rump pcapin PCAP BUS
 */
import { readFileSync } from "node:fs";
import { nativeHost } from "../../hypercall/native/native_host.ts";
import { LINKTYPE_ETHERNET } from "../../kernel-components/wire/linktype.ts";
import { PcapReader } from "../../kernel-components/wire/pcap.ts";
import { rump_calls } from "../client/rump_calls.ts";
import { rump_init_sync } from "../rump_init.ts";
import { BpfCapture } from "./bpf_capture.ts";
import type { HostToolContext } from "./dumpbus.ts";
import { getopt } from "./getopt.ts";
import { ifconfig } from "./ifconfig.ts";
import { EXIT_ENVIRONMENT, EXIT_OK, host_clock, ToolError, UsageError } from "./tool.ts";

/** The frames of a pcap file. Throws ToolError. */
export function pcap_frames(path: string): Uint8Array[] {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new ToolError(error instanceof Error ? error.message : String(error), EXIT_ENVIRONMENT);
  }
  const reader = new PcapReader(bytes);
  if (reader.err !== 0) throw new ToolError(`${path}: ${reader.err_text}`);
  if (reader.linktype !== LINKTYPE_ETHERNET)
    throw new ToolError(`${path}: link type ${reader.linktype}, and a bus carries Ethernet (${LINKTYPE_ETHERNET})`);
  const frames: Uint8Array[] = [];
  for (let r = reader.next(); r !== null; r = reader.next()) frames.push(r.data.slice());
  if (reader.err !== 0) throw new ToolError(`${path}: ${reader.err_text}`);
  return frames;
}

/** pcapin. */
export async function pcapin(cx: HostToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "");
  const [file, bus, ...more] = o.operands;
  if (file === undefined || bus === undefined || more.length > 0) throw new UsageError("a pcap file and a bus");
  const frames = pcap_frames(file);
  const host = nativeHost();
  const rk = rump_init_sync(host);
  try {
    const sys = rump_calls(rk.rumpSys);
    const tool = { ...cx, sys, clock: host_clock(host), signal: new AbortController().signal };
    for (const words of [["create"], ["linkstr", bus], ["up"]]) await ifconfig(tool, ["shmif0", ...words]);
    const bpf = await BpfCapture.open(sys, "shmif0", false);
    for (const frame of frames) await bpf.write(frame);
    await bpf.close();
  } finally {
    rk.shutdown();
    host.close();
  }
  cx.out(cx.json ? JSON.stringify({ frames: frames.length, bus }) : `${frames.length} frames put on ${bus}`);
  return EXIT_OK;
}
