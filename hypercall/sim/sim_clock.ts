// Clock, alarm and deferred work of a simulated host. Time passes only when the world is told to advance.
import { EINVAL } from "../api/errno.ts";
import { type HyperClock, RUMPUSER_CLOCK_ABSMONO, RUMPUSER_CLOCK_RELWALL, type Timespec } from "../api/clock.ts";
import type { HyperAlarm, HyperSched } from "../api/sched.ts";
import type { SimTarget } from "./event_queue.ts";
import type { SimHost } from "./sim_host.ts";

const NS_PER_SEC = 1_000_000_000;

/** One sleep under way. */
class SimSleep implements SimTarget {
  readonly sim_name: string;
  private readonly host: SimHost;
  private readonly done: () => void;

  constructor(host: SimHost, done: () => void) {
    this.sim_name = `${host.hostname}: clock_sleep`;
    this.host = host;
    this.done = done;
  }

  sim_fire(): void {
    if (!this.host.alive) return;
    this.host.schedule();
    try {
      this.done();
    } finally {
      this.host.unschedule();
    }
  }
}

/** The clocks, which all hosts of a world share. */
export class SimClock implements HyperClock {
  private readonly host: SimHost;

  constructor(host: SimHost) {
    this.host = host;
  }

  /** See HyperClock. hot */
  rumpuser_clock_mono(): number {
    return this.host.world.now_ns;
  }

  /** See HyperClock. The time of day is the world's wall_sec at time 0. */
  rumpuser_clock_gettime(clk: number, ts: Timespec): number {
    if (clk !== RUMPUSER_CLOCK_RELWALL && clk !== RUMPUSER_CLOCK_ABSMONO) return EINVAL;
    const world = this.host.world;
    const sec = Math.floor(world.now_ns / NS_PER_SEC);
    ts.sec = clk === RUMPUSER_CLOCK_RELWALL ? sec + world.wall_sec : sec;
    ts.nsec = world.now_ns - sec * NS_PER_SEC;
    return 0;
  }

  /** See HyperClock. */
  rumpuser_clock_sleep(clk: number, sec: number, nsec: number, done: () => void): number {
    if (clk !== RUMPUSER_CLOCK_RELWALL && clk !== RUMPUSER_CLOCK_ABSMONO) return EINVAL;
    if (!(sec >= 0 && nsec >= 0 && nsec < NS_PER_SEC)) return EINVAL;
    const ns = sec * NS_PER_SEC + nsec;
    const world = this.host.world;
    world.at(clk === RUMPUSER_CLOCK_RELWALL ? world.now_ns + ns : ns, new SimSleep(this.host, done), 0);
    return 0;
  }
}

/** The alarm of a kernel: one event that moves. */
export class SimAlarm implements HyperAlarm, SimTarget {
  readonly sim_name: string;
  private readonly host: SimHost;
  private readonly fire: () => void;
  private event = -1;
  private closed = false;

  constructor(host: SimHost, fire: () => void) {
    this.sim_name = `${host.hostname}: alarm`;
    this.host = host;
    this.fire = fire;
  }

  /** See HyperAlarm. hot */
  set(deadline_ns: number): void {
    if (this.closed) return;
    const world = this.host.world;
    const at = world.instant(deadline_ns);
    if (this.event === -1) this.event = world.queue.add(at, this, 0);
    else if (world.queue.times[this.event] !== at) world.queue.move(this.event, at);
  }

  /** See HyperAlarm. */
  clear(): void {
    if (this.event === -1) return;
    this.host.world.queue.remove(this.event);
    this.event = -1;
  }

  /** See HyperAlarm. A simulated world goes on for as long as it is told to. */
  hold(_by: number): void {}

  /** See HyperAlarm. */
  close(): void {
    this.clear();
    this.closed = true;
  }

  sim_fire(): void {
    this.event = -1;
    this.fire();
  }
}

/** Alarms and deferred work. */
export class SimSched implements HyperSched {
  private readonly host: SimHost;
  private readonly alarms: SimAlarm[] = [];

  constructor(host: SimHost) {
    this.host = host;
  }

  /** See HyperSched. */
  rumpuser_alarm(fire: () => void): HyperAlarm {
    const alarm = new SimAlarm(this.host, fire);
    if (!this.host.alive) alarm.close();
    this.alarms.push(alarm);
    return alarm;
  }

  /** See HyperSched. hot */
  rumpuser_defer(run: () => void): void {
    if (this.host.alive) this.host.world.defer(this.host, run);
  }

  /** The kernel has died: no alarm goes off any more. */
  close_all(): void {
    for (const alarm of this.alarms) alarm.close();
    this.alarms.length = 0;
  }
}
