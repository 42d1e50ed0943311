// What a client process of the sysproxy stress tests does; the kernel by RUMP_SERVER. Throws when anything was wrong.
import { rumpclient_init } from "../../rumpsys/client/rumpclient.ts";
import type { Rumpclient } from "../../rumpsys/client/rumpclient.ts";

const PF_LOCAL = 1;
const PF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const LOOPBACK = "127.0.0.1";

function check(ok: boolean, what: string): void {
  if (!ok) throw new Error(what);
}

/** One round of what programs do: names, datagrams to oneself, a pair, a call that waits. */
async function round(c: Rumpclient, i: number): Promise<void> {
  const sys = c.rumpSys;
  check((await sys.getpid()) === c.pid, "pid");
  const s = await sys.socket(PF_INET, SOCK_DGRAM, 0);
  await sys.bind(s, { family: "inet", address: LOOPBACK, port: 0 });
  const nam = await sys.getsockname(s);
  check(nam !== null && nam.family === "inet", "getsockname");
  const data = new Uint8Array([i, i >> 8, 3]);
  const buf = new Uint8Array(16);
  const waiting = sys.recvfrom(s, buf);
  await sys.sendto(s, data, 0, nam as { family: "inet"; address: string; port: number });
  check((await waiting).length === data.length && buf[0] === (i & 0xff), "datagram");
  const [a, b] = await sys.socketpair(PF_LOCAL, SOCK_STREAM, 0);
  const reading = sys.read(b, buf);
  await sys.write(a, data);
  check((await reading) === data.length, "pair");
  for (const fd of [s, a, b]) await sys.close(fd);
}

/** Does `mode`: "rounds" N times, "forever" until killed, "child" with a cookie in hexadecimal. */
export async function sp_stress(mode: string, argument: string): Promise<void> {
  if (mode === "child") {
    const child = await rumpclient_init(undefined, { cookie: Uint8Array.from(Buffer.from(argument, "hex")) });
    const fd = Number(process.env["SP_FD"]);
    check((await child.rumpSys.write(fd, new TextEncoder().encode("from the child"))) > 0, "inherited descriptor");
    return child.close();
  }
  const c = await rumpclient_init();
  if (mode === "rounds") for (let i = 0; i < Number(argument); i++) await round(c, i);
  else if (mode === "forever") {
    const [, b] = await c.rumpSys.socketpair(PF_LOCAL, SOCK_STREAM, 0);
    const blocked = [c.rumpSys.read(b, new Uint8Array(4)), c.rumpSys.poll([{ fd: b, events: 1 }], -1)];
    process.stdout.write("up\n");
    for (let i = 0; blocked.length > 0; i++) await round(c, i);
  } else throw new Error(`mode ${mode}`);
  c.close();
}
