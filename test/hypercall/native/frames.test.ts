import { expect } from "chai";
import { EBUSY, EINVAL } from "../../../hypercall/api/errno.ts";
import {
  FR_OFF_CSUM,
  FR_OFF_TSO4,
  FR_OFF_TSO6,
  FR_OFF_TSO_ECN,
  FR_OFF_USO4,
  FR_OFF_USO6,
  FramePortInfo,
  type FrameUp,
} from "../../../hypercall/api/frames.ts";
import { loadAddon } from "../../../hypercall/native/addon.ts";
import { nativeHost } from "../../../hypercall/native/native_host.ts";
import { needNative, needTap } from "../../support/need.ts";

const ALL = FR_OFF_CSUM | FR_OFF_TSO4 | FR_OFF_TSO6 | FR_OFF_TSO_ECN | FR_OFF_USO4 | FR_OFF_USO6;
const TAP = `rkf${process.pid}`;
const UP: FrameUp = { frames_rx_ready: () => {}, frames_tx_ready: () => {}, frames_link: () => {} };

describe("native frames", () => {
  before(function () {
    needNative(this);
    needTap(this);
  });

  it("reports the offloads of a tap in the contract's bits", () => {
    const host = nativeHost();
    const info = new FramePortInfo();
    expect(host.frames.frames_open(TAP, UP, info), info.text).to.not.equal(null);
    expect(info.offloads & FR_OFF_CSUM).to.equal(FR_OFF_CSUM);
    expect(info.offloads & ~ALL).to.equal(0);
    // Both UDP bits are younger than the TCP ones and came together (Linux 6.2).
    expect((info.offloads & FR_OFF_USO4) === 0).to.equal((info.offloads & FR_OFF_USO6) === 0);
    expect(info.offloads & FR_OFF_TSO_ECN).to.equal(0);
    host.close();
  });

  it("says in words why there is no port", () => {
    const [one, two] = [nativeHost(), nativeHost()];
    const info = new FramePortInfo();
    expect(one.frames.frames_open(TAP, UP, info)).to.not.equal(null);
    expect(two.frames.frames_open(TAP, UP, info)).to.equal(null);
    expect([info.err, info.text]).to.deep.equal([EBUSY, `tap interface ${TAP}: another program has it open`]);
    one.close();
    expect(two.frames.frames_open("lo", UP, info)).to.equal(null);
    expect([info.err, info.text]).to.deep.equal([
      EINVAL,
      "tap interface lo: an interface of that name exists and is no tap",
    ]);
    two.close();
  });

  it("reports the link down, once, when the interface is deleted under it", async () => {
    const host = nativeHost();
    const states: boolean[] = [];
    const port = host.frames.frames_open(TAP, { ...UP, frames_link: (up) => states.push(up) }, new FramePortInfo());
    port?.rx_enable(true);
    expect(loadAddon().hostif_up(TAP, true)).to.equal(0);
    const { execFileSync } = await import("node:child_process");
    execFileSync("ip", ["link", "del", TAP]);
    await new Promise((later) => setTimeout(later, 30));
    expect(states).to.deep.equal([false]);
    host.close();
  });
});
