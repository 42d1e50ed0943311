import { createSocket } from "node:dgram";
import { constants } from "node:os";
import { expect } from "chai";
import { loadAddon, POLL_READABLE, type RegionHandle, type RumpuserAddon } from "../../../../hypercall/native/addon.ts";
import { slab_create } from "../../../../hypercall/slab/slab.ts";
import { WASM_PAGE } from "../../../../hypercall/slab/wasm.ts";
import { needNative, needTap } from "../../../support/need.ts";

const { EBUSY, EFAULT, EINVAL, ENAMETOOLONG } = constants.errno;
const FR_HDR = 8;
const FR_STRIDE = 12;
const HDR = 12;
const CAP = 2048;
const ETHERTYPE_IP = 0x0800;
const ETHERTYPE_ARP = 0x0806;

/** The host's side of the tap is 10.99.77.1/24; the frames for 10.99.77.2 are answered by this test. */
describe("addon: tap", () => {
  let a: RumpuserAddon;
  let slab: RegionHandle;
  let block: RegionHandle;
  const memory = slab_create(8 * WASM_PAGE).u8;
  const ctl = new Int32Array(FR_HDR + 16 * FR_STRIDE + 64);
  let tap: { fd: number; name: string; mac: Uint8Array };

  before(function () {
    needNative(this);
    needTap(this);
    a = loadAddon();
    slab = a.slab_register(memory);
    block = a.slab_register(ctl);
    const opened = a.tap_open("", true, true);
    if (opened.error !== undefined) throw new Error(`tap_open: ${opened.step} ${opened.error}`);
    tap = opened;
    expect(a.hostif_addr(tap.name, 0x0a634d01, 24)).to.equal(0);
    expect(a.hostif_up(tap.name, true)).to.equal(0);
  });
  after(() => {
    if (tap === undefined) return;
    a.fd_close(tap.fd);
    a.slab_release(slab);
    a.slab_release(block);
  });

  function offer(): void {
    ctl.fill(0);
    ctl[0] = 64 * 1024;
    ctl[1] = 64 * 1024;
    for (let i = 0; i < 16; i++) ctl.set([4096 + i * CAP, CAP], FR_HDR + i * FR_STRIDE);
  }

  /** Reads until a frame satisfies `wanted`; answers its record index. */
  async function frame(wanted: (at: number) => boolean): Promise<number> {
    let found = -1;
    await new Promise<void>((done) => {
      const watch = a.poll_open(tap.fd, () => {
        offer();
        const n = a.tap_rx(tap.fd, slab, block, 16, HDR);
        for (let i = 0; i < n && found < 0; i++) if (wanted(ctl[FR_HDR + i * FR_STRIDE]!)) found = i;
        if (found < 0) return;
        a.watch_close(watch);
        done();
      });
      a.poll_start(watch, POLL_READABLE);
    });
    return found;
  }
  const etherType = (at: number): number => memory[at + 12]! * 256 + memory[at + 13]!;

  it("carries the host's ARP question, an answer, and a datagram that is left for the device to checksum", async () => {
    const socket = createSocket("udp4");
    const payload = Buffer.alloc(1200, 5);
    socket.send(payload, 9, "10.99.77.2");
    const arp = ctl[FR_HDR + (await frame((at) => etherType(at) === ETHERTYPE_ARP)) * FR_STRIDE]!;
    reply(arp);
    ctl.set([1, 0], 0);
    ctl.fill(0, FR_HDR, FR_HDR + FR_STRIDE);
    const iov = FR_HDR + 2 * FR_STRIDE;
    ctl.set([iov, 2], FR_HDR + 9);
    ctl.set([arp, 20, arp + 20, 22], iov);
    expect(a.tap_tx(tap.fd, slab, block, 1, HDR)).to.equal(1);
    expect([ctl[4], ctl[5], ctl[6]]).to.deep.equal([0, 0, 42]);

    const i = await frame((at) => etherType(at) === ETHERTYPE_IP && memory[at + 23] === 17);
    socket.close();
    const rec = FR_HDR + i * FR_STRIDE;
    expect(ctl[rec + 2]).to.equal(14 + 20 + 8 + 1200);
    expect(ctl[rec + 3]).to.equal(1);
    expect([ctl[rec + 7], ctl[rec + 8]]).to.deep.equal([34, 6]);
  });

  it("refuses a malformed block, and counts a frame that points outside the slab", () => {
    offer();
    expect(a.tap_rx(tap.fd, slab, block, 257, HDR)).to.equal(-EINVAL);
    expect(a.tap_rx(tap.fd, slab, block, 16, 10)).to.equal(-EINVAL);
    const iov = FR_HDR + 2 * FR_STRIDE;
    ctl.set([iov, 1], FR_HDR + 9);
    ctl.set([memory.length - 10, 60], iov);
    ctl.set([iov, 200], FR_HDR + FR_STRIDE + 9);
    expect(a.tap_tx(tap.fd, slab, block, 2, HDR)).to.equal(2);
    expect(ctl[5]).to.equal(2);
    expect([ctl[FR_HDR + 2], ctl[FR_HDR + FR_STRIDE + 2]]).to.deep.equal([-EFAULT, -EINVAL]);
  });

  it("sends the same batch by io_uring, in short and long frames, and names the one that is refused", async function () {
    const ring = a.tap_ring_open(tap.fd);
    if (ring < 0) return this.skip();
    const socket = createSocket("udp4");
    await new Promise<void>((bound) => socket.bind(9977, "10.99.77.1", bound));
    const got: number[] = [];
    socket.on("message", (bytes) => got.push(bytes.length));
    const sizes = [10, 1400, 600, 100];
    const iov = FR_HDR + 8 * FR_STRIDE;
    ctl.fill(0);
    for (const [i, size] of sizes.entries()) {
      const at = 65_536 + i * CAP;
      datagram(at, size);
      ctl.set([iov + i * 4, 2], FR_HDR + i * FR_STRIDE + 9);
      ctl.set([at, 30, at + 30, 12 + size], iov + i * 4);
    }
    ctl.set([memory.length - 10, 60], iov + 2 * 4);
    expect(a.tap_ring_tx(ring, slab, block, 4, HDR)).to.equal(4);
    expect([ctl[4], ctl[5], ctl[6]]).to.deep.equal([-EFAULT, 1, 3 * 42 + 10 + 1400 + 100]);
    expect(ctl[FR_HDR + 2 * FR_STRIDE + 2]).to.equal(-EFAULT);
    await new Promise((later) => setTimeout(later, 20));
    socket.close();
    expect(got).to.deep.equal([10, 1400, 100]);
    expect(a.tap_ring_close(ring)).to.equal(0);
    expect(a.tap_ring_tx(ring, slab, block, 1, HDR)).to.equal(-EINVAL);
  });

  it("says why a tap cannot be opened", () => {
    expect(a.tap_open("x".repeat(16), true, true)).to.deep.equal({ error: -ENAMETOOLONG, step: "name" });
    expect(a.tap_open(tap.name, true, true)).to.deep.equal({ error: -EBUSY, step: "attach" });
    expect(a.tap_open("lo", true, true)).to.deep.equal({ error: -EINVAL, step: "attach" });
  });

  /** A UDP datagram from 10.99.77.2 to port 9977 of the host, without a checksum. */
  function datagram(at: number, size: number): void {
    const dv = new DataView(memory.buffer, at, 42);
    memory.set([...tap.mac, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0], at);
    dv.setUint16(16, 28 + size);
    dv.setUint32(18, 0);
    dv.setUint32(22, 0x40110000);
    memory.set([10, 99, 77, 2, 10, 99, 77, 1], at + 26);
    let sum = 0;
    for (let i = 14; i < 34; i += 2) sum += dv.getUint16(i);
    dv.setUint16(24, ~((sum & 0xffff) + (sum >>> 16)));
    dv.setUint16(34, 7);
    dv.setUint16(36, 9977);
    dv.setUint16(38, 8 + size);
    dv.setUint16(40, 0);
  }

  /** Turns the ARP request at `at` into the reply of 02:00:00:00:00:02. */
  function reply(at: number): void {
    const mac = [2, 0, 0, 0, 0, 2];
    const asker = memory.slice(at + 22, at + 32);
    const asked = memory.slice(at + 38, at + 42);
    memory.set(asker.subarray(0, 6), at);
    memory.set(mac, at + 6);
    memory[at + 21] = 2;
    memory.set(mac, at + 22);
    memory.set(asked, at + 28);
    memory.set(asker, at + 32);
  }
});
