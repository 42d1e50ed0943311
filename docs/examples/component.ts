// A component: a heartbeat with a setting, a counter and a timer. Nothing happens on import; rump_init runs what each phase asks for, and shutdown
// undoes it in reverse.
import { simWorld } from "../../hypercall/sim/sim_world.ts";
import {
  callout_destroy,
  callout_init,
  callout_reset,
  callout_stop,
  NS_PER_S,
} from "../../kernel-components/kern/callout.ts";
import type { Callout } from "../../kernel-components/kern/callout.ts";
import { RUMP_COMPONENT_POSTINIT } from "../../kernel-components/kern/component.ts";
import type { RumpComponent } from "../../kernel-components/kern/component.ts";
import { evcnt_attach, evcnt_detach } from "../../kernel-components/kern/evcnt.ts";
import { SoftcKey } from "../../kernel-components/kern/kernel.ts";
import type { Kernel } from "../../kernel-components/kern/kernel.ts";
import { rump_init } from "../../rumpsys/rump_init.ts";

/** Index into the counters: heartbeats since boot. */
const HB_BEATS = 0;

/** The state of one kernel; module-level state would be shared by all kernels of the process. */
class Heartbeat {
  readonly stat: Float64Array = new Float64Array(1);
  readonly timer: Callout;
  interval_s = 1;

  constructor(k: Kernel) {
    this.timer = callout_init(k);
  }
}

const HEARTBEAT: SoftcKey<Heartbeat> = new SoftcKey<Heartbeat>("heartbeat");

function beat(hb: Heartbeat): void {
  hb.stat[HB_BEATS] = (hb.stat[HB_BEATS] ?? 0) + 1;
  callout_reset(hb.timer, hb.interval_s * NS_PER_S, beat, hb);
}

const heartbeatComponent: RumpComponent = {
  name: "heartbeat",
  requires: [],
  excludes: [],
  init: {
    [RUMP_COMPONENT_POSTINIT](k) {
      const hb = new Heartbeat(k);
      k.softc_set(HEARTBEAT, hb);
      evcnt_attach(k, "heartbeat", ["beats"], hb.stat);
      k.sysctl.addInt("kern.heartbeat", {
        desc: "Seconds between heartbeats",
        min: 1,
        max: 3600,
        get: () => hb.interval_s,
        set: (seconds) => {
          hb.interval_s = seconds;
          callout_reset(hb.timer, seconds * NS_PER_S, beat, hb);
          return 0;
        },
      });
      callout_reset(hb.timer, hb.interval_s * NS_PER_S, beat, hb);
    },
  },
  fini: {
    [RUMP_COMPONENT_POSTINIT](k) {
      const hb = k.softc(HEARTBEAT);
      callout_stop(hb.timer);
      callout_destroy(hb.timer);
      evcnt_detach(k, hb.stat);
      k.softc_delete(HEARTBEAT);
    },
  },
};

const world = simWorld();
const rump = await rump_init({ host: world.host("heart"), components: [heartbeatComponent] });
world.advance(10 * NS_PER_S);
console.log("beats after 10 s:", rump.k.evcnts.value("heartbeat", "beats"));
rump.rumpSys.sysctlbyname("kern.heartbeat", 60);
world.advance(600 * NS_PER_S);
console.log("after 10 minutes of one a minute:", rump.k.evcnts.value("heartbeat", "beats"));
try {
  rump.rumpSys.sysctlbyname("kern.heartbeat", 0);
} catch (error) {
  console.log(String(error));
}
console.log(`not given back at shutdown: ${rump.shutdown().text || "nothing"}`);

//> beats after 10 s: 10
//> after 10 minutes of one a minute: 20
//> RumpError: sysctlbyname EINVAL kern.heartbeat
//> not given back at shutdown: nothing
