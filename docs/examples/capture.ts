// A capture of the two interfaces of a router: every packet with its direction, and what was dropped with the reason. Here the bytes go into memory
// and are read back; pcapFile("file.pcapng").sink (drivers/pcap/host/pcap_file.ts) writes a file for tshark and tcpdump.
import { pcap_open } from "../../drivers/pcap/pcap.component.ts";
import { EPB_FLAGS, EPB_FLAGS_INBOUND, OPT_COMMENT, PCAPNG_EPB } from "../../kernel-components/wire/pcapng_format.ts";
import { PcapngReader } from "../../kernel-components/wire/pcapng_reader.ts";
import { trace_bytes } from "../../kernel-components/wire/trace.ts";
import { startTestbed } from "../../rumpsys/testbed/testbed.ts";

await using tb = await startTestbed(
  { nodes: { a: {}, r: { forward: true }, b: {} }, links: ["a -- r", "r -- b"] },
  { mode: "sim" },
);
await tb.ping("a", "b", { count: 1 });

const chunks: number[] = [];
const sink = (bytes: Uint8Array): number => {
  for (const byte of bytes) chunks.push(byte);
  return 0; // or an errno: EAGAIN keeps the bytes for the next time
};
const capture = pcap_open(tb.kernel("r").k, sink, ["shmif0", "shmif1"]);
await tb.ping("a", "b", { count: 1, size: 8 });
await tb.ping("a", "b", { count: 1, size: 8, ttl: 1, timeout_ms: 100 });
capture.close();

const reader = new PcapngReader(Uint8Array.from(chunks));
for (let block = reader.next(); block !== null; block = reader.next()) {
  if (block.type !== PCAPNG_EPB) continue;
  const { name, linktype } = reader.interfaces[block.ifid] ?? { name: "?", linktype: 0 };
  const way = ((block.option(EPB_FLAGS)?.[0] ?? 0) & 3) === EPB_FLAGS_INBOUND ? "in " : "out";
  const comment = block.option(OPT_COMMENT);
  const why = comment === null ? "" : `   <- ${new TextDecoder().decode(comment)}`;
  const text = trace_bytes(block.data, linktype).replace(/^.*, IP|id \d+, /g, ""); // hardware addresses and numbers are left out here
  console.log(`${name} ${way}${text}${why}`);
}

//> shmif0 in  10.0.1.2 > 10.0.2.2: ICMP echo request, seq 0, length 16 (ttl 255)
//> shmif1 out 10.0.1.2 > 10.0.2.2: ICMP echo request, seq 0, length 16 (ttl 254)
//> shmif1 in  10.0.2.2 > 10.0.1.2: ICMP echo reply, seq 0, length 16 (ttl 255)
//> shmif0 out 10.0.2.2 > 10.0.1.2: ICMP echo reply, seq 0, length 16 (ttl 254)
//> shmif0 in  10.0.1.2 > 10.0.2.2: ICMP echo request, seq 0, length 16 (ttl 1)   <- ttlexpired
//> shmif0 out 10.0.1.1 > 10.0.1.2: ICMP time exceeded in-transit 10.0.2.2 proto 1, length 36 (ttl 255, tos 0xc0)
