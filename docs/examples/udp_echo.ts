// System calls as promises: a UDP echo server in one kernel, a client in another, both in this process. Names and numbers are NetBSD's.
import { PF_INET, SOCK_DGRAM } from "../../kernel-components/socket/socket_abi.ts";
import { RumpError } from "../../rumpsys/errors.ts";
import { startTestbed } from "../../rumpsys/testbed/testbed.ts";

await using tb = await startTestbed(
  { nodes: { client: {}, server: {} }, links: ["client -- server"] },
  { mode: "sim" },
);
const server = tb.kernel("server").rumpSys;
const client = tb.kernel("client").rumpSys;

const at = server.socket(PF_INET, SOCK_DGRAM);
server.bind(at, { family: "inet", address: "0.0.0.0", port: 7 });

async function serve(): Promise<void> {
  const buf = new Uint8Array(2048);
  for (;;) {
    const { length, from } = await server.recvfrom(at, buf);
    if (from !== null && "port" in from) await server.sendto(at, buf.subarray(0, length), 0, from);
  }
}
// the loop ends when its kernel does: what waits then is rejected with EINTR
const served = serve().catch((error: unknown) => (error instanceof RumpError ? error.code : error));

const s = client.socket(PF_INET, SOCK_DGRAM);
await client.sendto(s, new TextEncoder().encode("hello"), 0, {
  family: "inet",
  address: tb.address("server"),
  port: 7,
});
const answer = new Uint8Array(2048);
const { length, from } = await tb.run(client.recvfrom(s, answer));
console.log(`"${new TextDecoder().decode(answer.subarray(0, length))}" from`, from);

// nobody listens on port 9: the server's kernel says so, and the next call on the connected socket tells
await client.connect(s, { family: "inet", address: tb.address("server"), port: 9 });
await client.send(s, new Uint8Array(1));
console.log(await tb.run(client.recv(s, answer)).catch((error: Error) => error.message));

await tb.stop();
console.log("server:", await served);

//> "hello" from { family: 'inet', address: '10.0.1.2', port: 7 }
//> recv ECONNREFUSED
//> server: EINTR
