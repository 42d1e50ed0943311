// Conformance: byte streams between kernels and clients.
import { expect } from "chai";
import { EADDRINUSE, EBUSY, ECONNREFUSED, EINVAL, ENAMETOOLONG, ENOENT } from "../../../hypercall/api/errno.ts";
import { HYPERCALL_VERSION, type Host } from "../../../hypercall/api/host.ts";
import type { SpConn, SpConnUp, SpUp } from "../../../hypercall/api/sp.ts";
import { Bracket, type Subject } from "./subject.ts";

const SOON = 30e6;

/** Remembers what a stream has delivered. */
class Log implements SpConnUp {
  text = "";
  drained = 0;
  closed: number | null = null;
  readonly bracket: Bracket;
  constructor(bracket: Bracket) {
    this.bracket = bracket;
  }
  sp_data(bytes: Uint8Array): void {
    expect(this.bracket.depth).to.equal(1);
    this.text += Buffer.from(bytes).toString();
  }
  sp_drained(): void {
    this.drained++;
  }
  sp_closed(err: number): void {
    expect(this.bracket.depth).to.equal(1);
    expect(this.closed).to.equal(null);
    this.closed = err;
  }
}

class EchoServer implements SpUp {
  readonly bracket: Bracket = new Bracket();
  readonly conns: SpConn[] = [];
  readonly logs: Log[] = [];
  refuse = false;
  constructor(host: Host) {
    host.rumpuser_init(HYPERCALL_VERSION, this.bracket);
  }
  sp_accept(conn: SpConn): SpConnUp | null {
    expect(this.bracket.depth).to.equal(1);
    if (this.refuse) return null;
    const log = new Log(this.bracket);
    this.conns.push(conn);
    this.logs.push(log);
    return {
      sp_data: (bytes) => {
        log.sp_data(bytes);
        conn.send(bytes);
      },
      sp_drained: () => log.sp_drained(),
      sp_closed: (err) => log.sp_closed(err),
    };
  }
  sp_failed(err: number, text: string): void {
    expect.fail(`server failed: ${err} ${text}`);
  }
}

async function serve(subject: Subject, host: Host, url: string, up: SpUp): Promise<number> {
  let result = -1;
  host.sp.rumpuser_sp_init(url, up, (err) => {
    result = err;
  });
  expect(result).to.equal(-1);
  await subject.pass(SOON);
  return result;
}

async function dial(subject: Subject, host: Host, url: string, up: SpConnUp): Promise<[SpConn | null, number]> {
  let result: [SpConn | null, number] | null = null;
  host.sp.rumpuser_sp_connect(url, up, (conn, err) => {
    result = [conn, err];
  });
  expect(result).to.equal(null);
  await subject.pass(SOON);
  return result ?? [null, -1];
}

/** sp. */
export function spConformance(get: () => Subject): void {
  it("carries bytes both ways, tells who is there, and ends orderly", async () => {
    const [server, client] = [get().host(), get().host()];
    const url = `unix://${get().path("sp")}`;
    const echo = new EchoServer(server);
    expect(await serve(get(), server, url, echo)).to.equal(0);
    const bracket = new Bracket();
    client.rumpuser_init(HYPERCALL_VERSION, bracket);
    const log = new Log(bracket);
    const [conn, err] = await dial(get(), client, url, log);
    expect(err).to.equal(0);
    expect(conn!.send(Buffer.from("hello "))).to.be.at.least(0);
    conn!.send(Buffer.from("there"));
    await get().pass(SOON);
    expect([echo.logs[0]!.text, log.text]).to.deep.equal(["hello there", "hello there"]);
    expect(log.drained).to.be.at.least(1);
    // -1: not known; 0: everything in a simulation is root's
    expect(echo.conns[0]!.peer.uid).to.be.oneOf([-1, 0, process.geteuid!()]);
    echo.conns[0]!.pause();
    conn!.send(Buffer.from("!"));
    await get().pass(SOON);
    expect(log.text).to.equal("hello there");
    echo.conns[0]!.resume();
    await get().pass(SOON);
    expect(log.text).to.equal("hello there!");
    conn!.close();
    await get().pass(SOON);
    expect([echo.logs[0]!.closed, log.closed]).to.deep.equal([0, 0]);
    expect(conn!.send(Buffer.from("?"))).to.equal(-1);
    server.sp.rumpuser_sp_fini();
  });

  it("ends all streams and frees the name with the server", async () => {
    const [server, client] = [get().host(), get().host()];
    const url = `unix://${get().path("sp")}`;
    const echo = new EchoServer(server);
    await serve(get(), server, url, echo);
    const log = new Log(new Bracket());
    client.rumpuser_init(HYPERCALL_VERSION, log.bracket);
    await dial(get(), client, url, log);
    server.sp.rumpuser_sp_fini();
    server.sp.rumpuser_sp_fini();
    await get().pass(SOON);
    expect(log.closed).to.not.equal(null);
    const [conn, err] = await dial(get(), client, url, log);
    expect(conn).to.equal(null);
    expect(err).to.be.oneOf([ENOENT, ECONNREFUSED]);
    expect(await serve(get(), server, url, echo)).to.equal(0);
    server.sp.rumpuser_sp_fini();
  });

  it("turns a client away when the kernel does", async () => {
    const [server, client] = [get().host(), get().host()];
    const url = `unix://${get().path("sp")}`;
    const echo = new EchoServer(server);
    echo.refuse = true;
    await serve(get(), server, url, echo);
    const log = new Log(new Bracket());
    client.rumpuser_init(HYPERCALL_VERSION, log.bracket);
    const [conn] = await dial(get(), client, url, log);
    await get().pass(SOON);
    if (conn !== null) expect(log.closed).to.not.equal(null);
    server.sp.rumpuser_sp_fini();
  });

  it("refuses bad URLs, a name that is taken, and a second server", async () => {
    const [one, two] = [get().host(), get().host()];
    const url = `unix://${get().path("sp")}`;
    const echo = new EchoServer(one);
    for (const bad of ["", "tcp://1.2.3.4:5", "unix://", "/tmp/x"]) {
      expect(await serve(get(), one, bad, echo), bad).to.equal(EINVAL);
      expect((await dial(get(), one, bad, new Log(echo.bracket)))[1], bad).to.equal(EINVAL);
    }
    expect(await serve(get(), one, `unix:///${"x".repeat(120)}`, echo)).to.equal(ENAMETOOLONG);
    expect(await serve(get(), one, url, echo)).to.equal(0);
    expect(await serve(get(), one, `${url}2`, echo)).to.equal(EBUSY);
    expect(await serve(get(), two, url, new EchoServer(two))).to.equal(EADDRINUSE);
    one.sp.rumpuser_sp_fini();
  });
}
