// The last frames of a fuzz run, for the pcap file of a failure.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pcap_file_header, pcap_record } from "../../kernel-components/wire/pcap.ts";

const SLOTS = 512;
/** Bytes kept of a frame. */
const KEEP = 2048;

/** A ring of frames. */
export class FrameLog {
  private readonly linktype: number;
  private readonly b: Uint8Array = new Uint8Array(SLOTS * KEEP);
  private readonly len: Int32Array = new Int32Array(SLOTS);
  private readonly at_ns: Float64Array = new Float64Array(SLOTS);
  private n = 0;

  constructor(linktype: number) {
    this.linktype = linktype;
  }

  /** Notes the first `len` bytes of b, sent at now_ns. */
  add(b: Uint8Array, len: number, now_ns: number): void {
    const slot = this.n++ % SLOTS;
    this.b.set(b.subarray(0, Math.min(len, KEEP)), slot * KEEP);
    this.len[slot] = len;
    this.at_ns[slot] = now_ns;
  }

  /** Writes them, oldest first. @returns the path */
  write(name: string): string {
    const path = join(mkdtempSync(join(tmpdir(), "rumpkit-fuzz-")), `${name}.pcap`);
    const parts: Uint8Array[] = [pcap_file_header(this.linktype)];
    for (let i = Math.max(0, this.n - SLOTS); i < this.n; i++) {
      const slot = i % SLOTS;
      const len = this.len[slot] as number;
      const at = this.at_ns[slot] as number;
      const kept = this.b.subarray(slot * KEEP, slot * KEEP + Math.min(len, KEEP));
      parts.push(pcap_record(Math.floor(at / 1e9), Math.floor(at % 1e9), kept, len));
    }
    writeFileSync(path, Buffer.concat(parts));
    return path;
  }
}
