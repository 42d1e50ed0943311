/**
 * The sysproxy server of a kernel: the kernel behind a URL. Every client is a process of the kernel; the host has checked who it is.
 */
import { EALREADY } from "../../hypercall/api/errno.ts";
import { strerror } from "../../hypercall/api/errno_names.ts";
import type { SpConn, SpConnUp, SpUp } from "../../hypercall/api/sp.ts";
import type { Callout } from "../../kernel-components/kern/callout.ts";
import { callout_destroy, callout_init, callout_reset, callout_stop } from "../../kernel-components/kern/callout.ts";
import { aprint_normal } from "../../kernel-components/kern/console.ts";
import { evcnt_attach, evcnt_detach } from "../../kernel-components/kern/evcnt.ts";
import type { Kernel } from "../../kernel-components/kern/kernel.ts";
import { OSRELEASE, OSTYPE } from "../../kernel-components/kern/sysctl_kern.ts";
import { RumpError } from "../errors.ts";
import {
  SP_ERROR,
  SP_ERR_TRYAGAIN,
  SP_HANDSHAKE,
  SP_LINGER_NS,
  SP_MAXCLIENTS,
  sp_banner,
  sp_frame,
} from "../sp/sp_proto.ts";
import { SpClient } from "./sp_client.ts";
import { SpPreforks } from "./sp_prefork.ts";
import { sp_syscall_table } from "./sp_syscalls.ts";
import type { SpSyscall } from "./sp_syscalls.ts";

/** Index of the counters: connections accepted. */
export const SPS_ACCEPTED = 0;
/** Connections turned away because SP_MAXCLIENTS were there. */
export const SPS_TOOMANY = 1;
/** Clients dropped because they broke the protocol. */
export const SPS_REFUSED = 2;
/** Names by index. */
export const SPSTAT_NAMES: readonly string[] = ["accepted", "toomany", "refused"];

/** What a server tells the program around it. */
export interface SpServerEvents {
  /** A client has asked for the end of the kernel (reboot(2)); its answer is on its way. */
  halt?(): void;
  /** The server cannot go on. */
  failed?(error: RumpError): void;
}

/** The server of one kernel. */
export class SpServer implements SpUp {
  /** Its kernel. */
  readonly k: Kernel;
  /** Who is connected. */
  readonly clients: Set<SpClient> = new Set<SpClient>();
  /** Processes that wait for their client. */
  readonly preforks: SpPreforks;
  /** What clients may call. */
  readonly syscalls: Map<number, SpSyscall> = sp_syscall_table();
  /** Counters, see SPS_*. */
  readonly spstat: Float64Array = new Float64Array(SPSTAT_NAMES.length);
  private readonly events: SpServerEvents;
  private readonly lingering: Map<SpConn, Callout> = new Map<SpConn, Callout>();
  private running = true;

  constructor(k: Kernel, events: SpServerEvents) {
    this.k = k;
    this.events = events;
    this.preforks = new SpPreforks(k);
    evcnt_attach(k, "sysproxy", SPSTAT_NAMES, this.spstat);
    k.on_shutdown(() => this.stop());
  }

  sp_accept(conn: SpConn): SpConnUp | null {
    if (!this.running) return null;
    conn.send(new TextEncoder().encode(sp_banner(OSTYPE, OSRELEASE, "rump")));
    if (this.clients.size >= SP_MAXCLIENTS) {
      this.count(SPS_TOOMANY);
      conn.send(sp_frame(0, SP_ERROR, SP_HANDSHAKE, SP_ERR_TRYAGAIN, new Uint8Array(0)));
      return this.drop(conn);
    }
    this.count(SPS_ACCEPTED);
    const client = new SpClient(this, conn);
    this.clients.add(client);
    return client;
  }

  sp_failed(err: number, text: string): void {
    this.events.failed?.(new RumpError("sp", err, undefined, undefined, text));
  }

  /** Ends a connection: what is queued may still go out, for SP_LINGER_NS. The result are upcalls that hear nothing. */
  drop(conn: SpConn): SpConnUp {
    conn.close();
    const timer = callout_init(this.k);
    this.lingering.set(conn, timer);
    callout_reset(
      timer,
      SP_LINGER_NS,
      () => {
        conn.destroy();
        this.dropped(conn);
      },
      null,
    );
    return { sp_data: () => undefined, sp_drained: () => undefined, sp_closed: () => this.dropped(conn) };
  }

  /** A connection that was dropped has ended. */
  dropped(conn: SpConn): void {
    const timer = this.lingering.get(conn);
    if (timer === undefined) return;
    this.lingering.delete(conn);
    callout_stop(timer);
    callout_destroy(timer);
  }

  /** A client was dropped. */
  refused(why: string): void {
    this.count(SPS_REFUSED);
    aprint_normal(this.k, `sysproxy: client dropped: ${why}\n`);
  }

  /** A client wants the kernel to end. */
  halt_asked(): void {
    this.events.halt?.();
  }

  /** Ends all clients and the listening; harmless when done before. The kernel may go on, and be served again by a new server. */
  stop(): void {
    if (!this.running) return;
    this.running = false;
    this.k.enter();
    for (const client of [...this.clients]) client.end();
    for (const conn of [...this.lingering.keys()]) this.dropped(conn);
    this.preforks.clear();
    evcnt_detach(this.k, this.spstat);
    this.k.leave();
    this.k.host.sp.rumpuser_sp_fini();
  }

  private count(what: number): void {
    this.spstat[what] = (this.spstat[what] as number) + 1;
  }
}

/**
 * Serves `k` at `url` (unix://path). Resolves when clients can connect; rejects with RumpError: EINVAL for a bad URL, EADDRINUSE when
 * a live server is there, ENAMETOOLONG, EACCES... Source: rump_init_server(3).
 */
export function rump_init_server(k: Kernel, url: string, events: SpServerEvents = {}): Promise<SpServer> {
  if (k.dead)
    return Promise.reject(
      new RumpError("rump_init_server", EALREADY, undefined, undefined, "the kernel has been shut down"),
    );
  const server = new SpServer(k, events);
  return new Promise((resolve, reject) => {
    k.host.sp.rumpuser_sp_init(url, server, (err, text) => {
      if (err === 0) return resolve(server);
      server.stop();
      return reject(new RumpError("rump_init_server", err, undefined, undefined, text === "" ? strerror(err) : text));
    });
  });
}
