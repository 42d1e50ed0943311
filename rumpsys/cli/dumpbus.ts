/**
 * shmif_dumpbus(1): a bus seen from outside, without attaching.
 *
 *   rump dumpbus [-h] [-p FILE|-] BUS
 */
import { readFileSync, writeFileSync } from "node:fs";
import { shmif_view } from "../../drivers/shmif/shmif_dump.ts";
import type { ShmifRecord, ShmifView } from "../../drivers/shmif/shmif_dump.ts";
import { shmif_size_ok } from "../../drivers/shmif/shmif_layout.ts";
import { LINKTYPE_ETHERNET } from "../../kernel-components/wire/linktype.ts";
import { pcap_file_header, pcap_record } from "../../kernel-components/wire/pcap.ts";
import { trace_bytes } from "../../kernel-components/wire/trace.ts";
import { getopt } from "./getopt.ts";
import { EXIT_ENVIRONMENT, EXIT_OK, ToolError, UsageError } from "./tool.ts";

/** What dumpbus prints with: no kernel is needed. */
export interface HostToolContext {
  readonly out: (line: string) => void;
  readonly out_bytes: (bytes: Uint8Array) => void;
  readonly err: (line: string) => void;
  readonly json: boolean;
}

/** Reads the bus at `path`. Throws ToolError. */
export function bus_view(path: string): ShmifView {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new ToolError(`${path}: ${error instanceof Error ? error.message : String(error)}`, EXIT_ENVIRONMENT);
  }
  if (!shmif_size_ok(bytes.length)) throw new ToolError(`${path}: not a shmif bus: ${bytes.length} bytes`);
  const copy = new Uint8Array(bytes);
  const view = shmif_view(copy, new Int32Array(copy.buffer), 0, copy.length);
  if (typeof view === "string") throw new ToolError(`${path}: ${view}`);
  return view;
}

/** All frames of a bus as a pcap file. */
export function bus_pcap(records: readonly ShmifRecord[]): Uint8Array {
  const parts = [
    pcap_file_header(LINKTYPE_ETHERNET),
    ...records.map((r) => pcap_record(r.sec, r.nsec, r.data, r.data.length)),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

function mac(hi: number, lo: number): string {
  return [hi >>> 8, hi & 0xff, lo >>> 24, (lo >>> 16) & 0xff, (lo >>> 8) & 0xff, lo & 0xff]
    .map((b) => b.toString(16).padStart(2, "0"))
    .join(":");
}

function header(path: string, v: ShmifView): string[] {
  const g = v.geometry;
  const lines = [
    `bus version ${v.version}, ${g.nports} ports, ${g.ndesc} descriptors each, ${v.records.length} frames (${path})`,
  ];
  for (const p of v.ports) {
    const state = !p.attached ? "free" : p.pid === 0 ? "attached" : `pid ${p.pid}`;
    lines.push(
      `port ${p.port}: ${mac(p.mac_hi, p.mac_lo)} ${state}, generation ${p.generation}, head ${p.head}, tail ${p.tail}, overruns ${p.overruns}`,
    );
  }
  if (v.unreadable > 0) lines.push(`${v.unreadable} frames were written over while they were read`);
  return lines;
}

function json(v: ShmifView, frames: boolean): object {
  return {
    version: v.version,
    nports: v.geometry.nports,
    ports: v.ports.map((p) => ({ ...p, mac: mac(p.mac_hi, p.mac_lo) })),
    unreadable: v.unreadable,
    frames: frames
      ? v.records.map((r) => ({
          port: r.port,
          position: r.position,
          time_s: r.sec + r.nsec / 1e9,
          length: r.data.length,
          text: trace_bytes(r.data, LINKTYPE_ETHERNET),
        }))
      : v.records.length,
  };
}

/** dumpbus. */
export async function dumpbus(cx: HostToolContext, args: readonly string[]): Promise<number> {
  const o = getopt(args, "hp:", true);
  const [path, ...more] = o.operands;
  if (path === undefined || more.length > 0) throw new UsageError("which bus? one file");
  const v = bus_view(path);
  const pcap = o.value("p");
  const text = pcap === "-" ? cx.err : cx.out;
  if (cx.json) text(JSON.stringify(json(v, !o.has("h") && pcap === undefined)));
  else {
    for (const line of header(path, v)) text(line);
    if (!o.has("h") && pcap === undefined) {
      for (const r of v.records)
        text(`${r.sec}.${String(r.nsec).padStart(9, "0")} port ${r.port} ${trace_bytes(r.data, LINKTYPE_ETHERNET)}`);
    }
  }
  if (pcap === "-") cx.out_bytes(bus_pcap(v.records));
  else if (pcap !== undefined) save(pcap, bus_pcap(v.records));
  return EXIT_OK;
}

function save(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new ToolError(`${path}: ${error instanceof Error ? error.message : String(error)}`, EXIT_ENVIRONMENT);
  }
}
