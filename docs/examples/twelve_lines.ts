// Three kernels, a -- r -- b; r forwards; a pings b. "sim" puts them into this process under a virtual clock, "process" into a process each.
import { startTestbed } from "../../rumpsys/testbed/testbed.ts";

await using tb = await startTestbed(
  { nodes: { a: {}, r: { forward: true }, b: {} }, links: ["a -- r", "r -- b"] },
  { mode: "sim" },
);
const ping = await tb.ping("a", "b", { count: 3 });
console.log(`${ping.received} of ${ping.sent} answers, ttl ${ping.ttl}`);
await tb.node("b").echo_server(7);
const echo = await tb.echo("a", "b", { count: 1000, window: 8 });
console.log(`${echo.received} datagrams there and back, ${echo.lost} lost, ttl ${echo.ttl}`);
for (const hop of await tb.traceroute("a", "b")) console.log(hop.ttl, hop.address);

//> 3 of 3 answers, ttl 254
//> 1000 datagrams there and back, 0 lost, ttl 63
//> 1 10.0.1.1
//> 2 10.0.2.2
