/**
 * rumpclient(3): a process of a kernel that lives elsewhere.
 *
 *   const client = await rumpclient_init("unix:///tmp/a");     // or without argument: RUMP_SERVER
 *   const s = await client.rumpSys.socket(PF_INET, SOCK_DGRAM);
 *   client.close();
 */
import { ECONNRESET, EINVAL } from "../../hypercall/api/errno.ts";
import { RumpError } from "../errors.ts";
import type { SpArg, SpResult } from "../sp/sp_args.ts";
import * as P from "../sp/sp_proto.ts";
import { RemoteSys } from "./remote_sys.ts";
import type { CallCarrier } from "./remote_base.ts";
import { connretry, connretry_parse, RUMPHIJACK_RETRYCONNECT } from "./retry.ts";
import type { ConnRetry } from "./retry.ts";
import { RUMP_SERVER, sp_connect } from "./sp_link.ts";
import type { SpLink } from "./sp_link.ts";

/** How to be a client. */
export interface RumpclientOptions {
  /** Name of the process in the kernel; this program's name by default. */
  readonly comm?: string;
  /** What to do when the kernel goes away; RUMPHIJACK_RETRYCONNECT or "once" by default. */
  readonly retry?: ConnRetry;
  /** Become the preforked process with this cookie. */
  readonly cookie?: Uint8Array;
}

/** What ends a process whose policy is "die". */
const DIE_STATUS = 1;

/** A client. */
export class Rumpclient implements CallCarrier {
  /** The kernel's system calls. */
  readonly rumpSys: RemoteSys;
  /** The kernel. */
  readonly url: string;
  /** The id of this process in the kernel; a new one after a reconnect. */
  pid = -1;
  /** How often the connection was made anew: all descriptors were lost each time. */
  reconnects = 0;
  private link: SpLink | null = null;
  private linking: Promise<SpLink> | null = null;
  private comm: string;
  private retry: ConnRetry;
  private closed = false;

  constructor(url: string, comm: string, retry: ConnRetry) {
    this.url = url;
    this.comm = comm;
    this.retry = retry;
    this.rumpSys = new RemoteSys(this);
  }

  /** rumpclient_setconnretry(3). */
  setconnretry(retry: ConnRetry): void {
    this.retry = retry;
  }

  /** Connects for the first time. */
  async start(cookie: Uint8Array | undefined): Promise<void> {
    const link = await sp_connect(this.url);
    await this.adopt(link, cookie);
  }

  /** One system call; connects again first when the connection was lost. See CallCarrier. */
  async carry(name: string, sysnum: number, args: readonly SpArg[]): Promise<SpResult> {
    const link = this.link ?? (await this.again(name));
    return link.syscall(name, sysnum, args);
  }

  /** The same, with a signal that ends a waiting call with EINTR. */
  async carry_until(signal: AbortSignal, name: string, sysnum: number, args: readonly SpArg[]): Promise<SpResult> {
    const link = this.link ?? (await this.again(name));
    return link.syscall(name, sysnum, args, signal);
  }

  /** Forks this process in the kernel: the cookie with which a child becomes it (RumpclientOptions.cookie), within half a minute. */
  async prefork(): Promise<Uint8Array> {
    const link = this.link ?? (await this.again("prefork"));
    return (await link.request("prefork", P.SP_PREFORK, 0, new Uint8Array(0))).slice();
  }

  /** The process becomes another program: calls that wait end with EINTR, descriptors marked close-on-exec are closed, the rest stays. */
  async exec(comm: string): Promise<void> {
    const link = this.link ?? (await this.again("exec"));
    await link.request("exec", P.SP_HANDSHAKE, P.SP_HANDSHAKE_EXEC, comm_bytes(comm));
    this.comm = comm;
  }

  /** Lets this program end while the connection is open, or not. */
  ref(on: boolean): void {
    this.link?.ref(on);
  }

  /** Ends the process in the kernel. */
  close(): void {
    this.closed = true;
    this.link?.close();
  }

  private async adopt(link: SpLink, cookie: Uint8Array | undefined): Promise<void> {
    const kind = cookie === undefined ? P.SP_HANDSHAKE_GUEST : P.SP_HANDSHAKE_FORK;
    try {
      const answer = await link.request("handshake", P.SP_HANDSHAKE, kind, cookie ?? comm_bytes(this.comm));
      this.pid = (answer[0] ?? 0) | ((answer[1] ?? 0) << 8);
    } catch (error) {
      link.close();
      throw error;
    }
    this.link = link;
    link.onclose = () => this.lost(link);
    if (link.closed) this.lost(link);
  }

  private lost(link: SpLink): void {
    if (this.link === link) this.link = null;
    if (!this.closed && this.retry === "die") process.exit(DIE_STATUS);
  }

  private again(name: string): Promise<SpLink> {
    if (this.closed)
      return Promise.reject(new RumpError(name, ECONNRESET, this.url, undefined, "the client was closed"));
    this.linking ??= this.reconnect().finally(() => {
      this.linking = null;
    });
    return this.linking;
  }

  private async reconnect(): Promise<SpLink> {
    const start = process.hrtime.bigint();
    const wait = async (ms: number): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return Number(process.hrtime.bigint() - start) / 1e6;
    };
    await connretry(this.retry, () => this.start(undefined), wait);
    this.reconnects++;
    this.rumpSys.reconnected();
    if (this.link === null)
      throw new RumpError("connect", ECONNRESET, this.url, undefined, "the kernel went away again");
    return this.link;
  }
}

function comm_bytes(comm: string): Uint8Array {
  const bytes = new TextEncoder().encode(comm);
  if (bytes.length === 0 || bytes.length > P.SP_MAXCOMM) {
    throw new RumpError(
      "rumpclient",
      EINVAL,
      undefined,
      undefined,
      `a program name has 1 to ${P.SP_MAXCOMM} bytes: ${JSON.stringify(comm)}`,
    );
  }
  return bytes;
}

/**
 * Connects to the kernel at `url`, or at RUMP_SERVER. Rejects with RumpError: EINVAL for a bad URL or policy, ENOENT and ECONNREFUSED when
 * no kernel is there, ESRCH for a cookie that nobody waits for. Source: rumpclient_init(3).
 */
export async function rumpclient_init(url?: string, options: RumpclientOptions = {}): Promise<Rumpclient> {
  const where = url ?? process.env[RUMP_SERVER];
  if (where === undefined || where === "") {
    throw new RumpError(
      "rumpclient",
      EINVAL,
      undefined,
      undefined,
      `which kernel? set ${RUMP_SERVER} or give a URL such as unix:///tmp/a`,
    );
  }
  const retry = options.retry ?? connretry_parse(process.env[RUMPHIJACK_RETRYCONNECT]);
  const client = new Rumpclient(where, options.comm ?? program_name(), retry);
  await client.start(options.cookie);
  return client;
}

function program_name(): string {
  const name = (process.argv[1] ?? "node").split("/").pop() ?? "node";
  return name === "" ? "node" : name.slice(0, P.SP_MAXCOMM);
}
