import { mkdtempSync, rmSync, statSync, writeFileSync, chmodSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { EADDRINUSE } from "../../../hypercall/api/errno.ts";
import type { SpConn, SpConnUp } from "../../../hypercall/api/sp.ts";
import { type NativeHost, nativeHost } from "../../../hypercall/native/native_host.ts";
import { needNative, needRoot } from "../../support/need.ts";
import { HostChild } from "./child.ts";

const NULL_STREAM: SpConnUp = { sp_data: () => {}, sp_drained: () => {}, sp_closed: () => {} };

describe("native streams", () => {
  let dir: string;
  let host: NativeHost;
  const peers: SpConn[] = [];
  before(function () {
    needNative(this);
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "rumpkit-sp-"));
    host = nativeHost();
    peers.length = 0;
  });
  afterEach(() => {
    host.close();
    rmSync(dir, { recursive: true });
  });
  const accept = (conn: SpConn): SpConnUp => {
    peers.push(conn);
    return NULL_STREAM;
  };
  const serve = (path: string): Promise<[number, string]> =>
    new Promise((done) =>
      host.sp.rumpuser_sp_init(`unix://${path}`, { sp_accept: accept, sp_failed: () => {} }, (err, text) =>
        done([err, text]),
      ),
    );

  it("makes the socket with mode 0600, tells who has connected, and removes it", async () => {
    const path = join(dir, "s");
    expect(await serve(path)).to.deep.equal([0, ""]);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    const client = connect(path);
    await new Promise((connected) => client.once("connect", connected));
    await new Promise((later) => setTimeout(later, 10));
    expect([peers[0]?.peer.pid, peers[0]?.peer.uid]).to.deep.equal([process.pid, process.geteuid?.()]);
    client.destroy();
    host.sp.rumpuser_sp_fini();
    await new Promise((later) => setTimeout(later, 10));
    expect(statSync(path, { throwIfNoEntry: false })).to.equal(undefined);
  });

  it("takes over the socket of a server that was killed, but not a live one and not a file", async () => {
    const path = join(dir, "s");
    const other = new HostChild(
      `host.sp.rumpuser_sp_init("unix://${path}", { sp_accept: () => null, sp_failed() {} }, (err) => say("serving " + err));`,
    );
    expect(await other.hears("serving")).to.equal("serving 0");
    const [err, text] = await serve(path);
    expect(err).to.equal(EADDRINUSE);
    expect(text).to.contain("live server");
    await other.kill();
    expect(statSync(path).isSocket()).to.equal(true);
    expect(await serve(path)).to.deep.equal([0, ""]);
    host.sp.rumpuser_sp_fini();
    const file = join(dir, "file");
    writeFileSync(file, "precious");
    const [refused, why] = await serve(file);
    expect(refused).to.equal(EADDRINUSE);
    expect(why).to.contain("no socket");
    expect(statSync(file).size).to.equal(8);
  });

  it("turns away a client of another user even if he can reach the socket", async function () {
    needRoot(this);
    const path = join(dir, "s");
    await serve(path);
    chmodSync(dir, 0o755);
    chmodSync(path, 0o666);
    const code = `
      const s = require("node:net").connect(process.argv[1]);
      s.on("connect", () => console.log("connected")).on("close", () => console.log("closed")).on("error", () => {});`;
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, ["-e", code, path], { uid: 65534, gid: 65534, cwd: "/" });
    let said = "";
    child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
    await new Promise((exit) => child.once("close", exit));
    expect(said).to.equal("connected\nclosed\n");
    expect(peers).to.have.length(0);
  });
});
