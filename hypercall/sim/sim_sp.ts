// Streams between the kernels of a world: a server and its clients in one process, bytes handed over as events.
import { EADDRINUSE, EBUSY, ECONNREFUSED, ECONNRESET, EINVAL, ENAMETOOLONG, ENOENT } from "../api/errno.ts";
import { type HyperSp, SP_PATH_MAX, type SpConn, type SpConnUp, SpCred, type SpUp } from "../api/sp.ts";
import type { SimTarget } from "./event_queue.ts";
import type { SimHost } from "./sim_host.ts";

const PREFIX = "unix://";
const EV_DELIVER = 0;
const EV_CONNECT = 1;
const EV_DONE = 2;

/** One side of a stream. */
class SimStream implements SpConn, SimTarget {
  readonly sim_name: string;
  readonly peer: SpCred = new SpCred();
  up: SpConnUp | null = null;
  other: SimStream | null = null;
  owner: Set<SimStream> | null = null;
  private readonly host: SimHost;
  private readonly inbox: Uint8Array[] = [];
  private inbox_bytes = 0;
  private paused = false;
  private event = -1;
  private ending = false;
  private end_error = 0;
  private shut = false;
  private over = false;

  constructor(host: SimHost, name: string) {
    this.host = host;
    this.sim_name = name;
  }

  send(bytes: Uint8Array): number {
    const other = this.other;
    if (this.shut || this.over || other === null || other.over) return -1;
    other.inbox.push(bytes.slice());
    other.inbox_bytes += bytes.length;
    other.wake();
    return other.inbox_bytes;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.wake();
  }

  close(): void {
    if (this.shut || this.over) return;
    this.shut = true;
    this.other?.end(0);
    this.end(0);
  }

  destroy(): void {
    if (this.over) return;
    this.shut = true;
    const other = this.other;
    if (other !== null && !other.over) {
      other.inbox.length = 0;
      other.inbox_bytes = 0;
      other.end(ECONNRESET);
    }
    this.inbox.length = 0;
    this.end(0);
  }

  /** The host of this side has died: no upcall, and the other side is told. */
  die(): void {
    this.destroy();
    this.over = true;
    this.up = null;
  }

  sim_fire(): void {
    this.event = -1;
    if (this.over || this.up === null) return;
    this.host.schedule();
    try {
      this.deliver(this.up);
    } finally {
      this.host.unschedule();
    }
  }

  private deliver(up: SpConnUp): void {
    let moved = false;
    while (!this.paused && !this.over) {
      const bytes = this.inbox.shift();
      if (bytes === undefined) break;
      this.inbox_bytes -= bytes.length;
      moved = true;
      up.sp_data(bytes);
    }
    if (moved && this.inbox.length === 0) this.other?.drained();
    if (!this.ending || this.over || (this.inbox.length > 0 && !this.shut)) return;
    this.over = true;
    this.shut = true;
    this.owner?.delete(this);
    up.sp_closed(this.end_error);
  }

  private drained(): void {
    if (this.over || this.up === null || this.shut) return;
    this.host.schedule();
    try {
      this.up.sp_drained();
    } finally {
      this.host.unschedule();
    }
  }

  private end(error: number): void {
    if (!this.ending) this.end_error = error;
    this.ending = true;
    this.wake();
  }

  private wake(): void {
    const world = this.host.world;
    if (this.event === -1 && !this.over) this.event = world.at(world.now_ns, this, EV_DELIVER);
  }
}

/** An answer that must not be given inside the call. */
class SimAnswer implements SimTarget {
  readonly sim_name: string;
  private readonly host: SimHost;
  private readonly run: () => void;

  constructor(host: SimHost, what: string, run: () => void) {
    this.sim_name = `${host.hostname}: ${what}`;
    this.host = host;
    this.run = run;
  }

  sim_fire(): void {
    if (!this.host.alive) return;
    this.host.schedule();
    try {
      this.run();
    } finally {
      this.host.unschedule();
    }
  }
}

/** What is wrong with a URL, or "". */
function url_fault(url: string): string {
  if (!url.startsWith(PREFIX)) return `${url}: a simulated host knows only unix://name`;
  return url.length === PREFIX.length ? `${url}: the name is missing` : "";
}

/** The stream hypercalls of one host. */
export class SimSp implements HyperSp {
  private readonly host: SimHost;
  private readonly streams: Set<SimStream> = new Set();
  private up: SpUp | null = null;
  private url = "";

  constructor(host: SimHost) {
    this.host = host;
  }

  /** See HyperSp. The name exists from this call on. */
  rumpuser_sp_init(url: string, up: SpUp, done: (err: number, text: string) => void): void {
    const servers = this.host.world.servers;
    const fault = url_fault(url);
    let err = 0;
    if (fault !== "") err = EINVAL;
    else if (url.length - PREFIX.length > SP_PATH_MAX) err = ENAMETOOLONG;
    else if (this.up !== null) err = EBUSY;
    else if (servers.has(url)) err = EADDRINUSE;
    if (err === 0) {
      this.up = up;
      this.url = url;
      servers.set(url, this);
    }
    this.answer("sp_init", EV_DONE, () => done(err, err === 0 ? "" : fault || `${url}: errno ${err}`));
  }

  /** See HyperSp. */
  rumpuser_sp_fini(): void {
    if (this.up === null) return;
    this.host.world.servers.delete(this.url);
    this.up = null;
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }

  /** See HyperSp. */
  rumpuser_sp_connect(url: string, up: SpConnUp, done: (conn: SpConn | null, err: number, text: string) => void): void {
    this.answer("sp_connect", EV_CONNECT, () => {
      const fault = url_fault(url);
      const server = this.host.world.servers.get(url);
      if (fault !== "") return done(null, EINVAL, fault);
      if (server === undefined) return done(null, ENOENT, `${url}: no kernel serves this name`);
      const mine = new SimStream(this.host, `${this.host.hostname}: stream to ${url}`);
      if (!server.accept(mine)) return done(null, ECONNREFUSED, `${url}: turned away`);
      mine.up = up;
      mine.owner = this.streams.add(mine);
      return done(mine, 0, "");
    });
  }

  /** The kernel has died: server and streams go, the other ends see ECONNRESET. */
  close_all(): void {
    if (this.up !== null) this.host.world.servers.delete(this.url);
    this.up = null;
    for (const stream of this.streams) stream.die();
    this.streams.clear();
  }

  private accept(client: SimStream): boolean {
    if (this.up === null) return false;
    const mine = new SimStream(this.host, `${this.host.hostname}: stream of ${this.url}`);
    mine.other = client;
    client.other = mine;
    mine.peer.uid = client.peer.uid = 0;
    mine.peer.gid = client.peer.gid = 0;
    this.host.schedule();
    try {
      mine.up = this.up.sp_accept(mine);
    } finally {
      this.host.unschedule();
    }
    if (mine.up === null) return false;
    mine.owner = this.streams.add(mine);
    return true;
  }

  private answer(what: string, arg: number, run: () => void): void {
    const world = this.host.world;
    world.at(world.now_ns, new SimAnswer(this.host, what, run), arg);
  }
}
