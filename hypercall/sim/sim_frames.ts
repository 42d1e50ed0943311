// The frame hypercalls of a simulated host: its ends of the world's wires.
import { EINVAL, ENOENT, ENXIO } from "../api/errno.ts";
import { FramePortInfo, type FramePort, type FrameUp, type HyperFrames } from "../api/frames.ts";
import type { SimHost } from "./sim_host.ts";
import { hash32 } from "./sim_random.ts";
import { SimPort } from "./wire_port.ts";

/** First byte of a suggested address: locally administered, one station. */
const MAC_FIRST = 0xb2;

/** Ends of wires. */
export class SimFrames implements HyperFrames {
  private readonly host: SimHost;
  private ports: SimPort[] = [];

  constructor(host: SimHost) {
    this.host = host;
  }

  /** See HyperFrames. `linkstr` is the name of a wire that the world has; the address depends on seed, host and wire only. */
  frames_open(linkstr: string, up: FrameUp, out: FramePortInfo): FramePort | null {
    Object.assign(out, new FramePortInfo());
    const world = this.host.world;
    const wire = world.wires.get(linkstr);
    if (!this.host.alive) return refuse(out, ENXIO, `host ${this.host.hostname} is dead`);
    if (linkstr === "") return refuse(out, EINVAL, "a wire needs a name");
    if (wire === undefined) {
      const known = [...world.wires.keys()].join(", ");
      return refuse(
        out,
        ENOENT,
        `no wire ${linkstr} in this world (there are: ${known || "none"}); make it with world.wire("${linkstr}")`,
      );
    }
    const port = new SimPort(wire, this.host, this.host.hostname, up);
    out.mac = suggested_mac(world.seed, port.sim_name);
    wire.attach(port);
    this.ports = this.ports.filter((one) => !one.closed);
    this.ports.push(port);
    out.link_up = port.link_up();
    return port;
  }

  /** The kernel has died. */
  close_all(): void {
    for (const port of this.ports) port.close();
    this.ports.length = 0;
  }
}

function suggested_mac(seed: number, name: string): Uint8Array {
  const low = hash32(name, seed);
  const high = hash32(name, ~seed);
  return Uint8Array.of(MAC_FIRST, high, low >>> 24, low >>> 16, low >>> 8, low);
}

function refuse(out: FramePortInfo, err: number, text: string): null {
  out.err = err;
  out.text = text;
  return null;
}
