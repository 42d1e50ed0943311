import { expect } from "chai";
import { EBUSY, EINVAL, ENOENT, ENXIO } from "../../../hypercall/api/errno.ts";
import { FRH_DROPPED } from "../../../hypercall/api/frames.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import {
  ifdrv,
  IFLINKSTR_QUERYLEN,
  SIOCGLINKSTR,
  SIOCIFDESTROY,
  ifreq,
} from "../../../kernel-components/net/if_abi.ts";
import {
  IFD_IPACKETS,
  IFD_OERRORS,
  IFD_OPACKETS,
  IFF_OACTIVE,
  IFF_RUNNING,
  LINK_STATE_DOWN,
  LINK_STATE_UP,
} from "../../../kernel-components/net/if_flags.ts";
import { FakePort, pattern, VirtWorld } from "./virt_world.ts";

const MS = 1e6;

function nothingLeft(w: VirtWorld): void {
  expect(w.end().text).to.equal("");
}

describe("virtif: configuration", () => {
  it("needs a port to come up, and says why one cannot be opened", () => {
    const w = new VirtWorld();
    expect(w.flags(true)).to.equal(ENXIO);
    expect(w.link("nosuch")).to.equal(ENOENT);
    expect(Buffer.from(w.k.cons.msgbuf()).toString()).to.contain("virt0: no wire nosuch");
    expect(w.link("w")).to.equal(0);
    expect(w.link("w")).to.equal(EBUSY);
    expect(w.flags(true)).to.equal(0);
    expect(w.link("")).to.equal(EBUSY);
    expect(w.flags(false)).to.equal(0);
    expect(w.link("")).to.equal(0);
    expect(w.flags(true)).to.equal(ENXIO);
    nothingLeft(w);
  });

  it("tells its link string, takes the address that the host suggests, and follows the link", () => {
    const w = new VirtWorld().running();
    const query = ifdrv("virt0", IFLINKSTR_QUERYLEN, new Uint8Array(0));
    expect(w.ioctl(SIOCGLINKSTR, query)).to.equal(0);
    expect(new DataView(query.buffer).getBigUint64(24, true)).to.equal(2n);
    expect(w.ifp.if_lladdr[0]).to.equal(0xb2);
    expect(w.ifp.if_link_state).to.equal(LINK_STATE_UP);
    w.world.wire("w").set_up(false);
    w.world.advance(MS);
    expect(w.ifp.if_link_state).to.equal(LINK_STATE_DOWN);
    nothingLeft(w);
  });

  it("takes no other interface's mbufs with it when it is destroyed while it runs", () => {
    const w = new VirtWorld().running();
    w.peer.send(w.frame(100, 1));
    expect(w.ioctl(SIOCIFDESTROY, ifreq("virt0"))).to.equal(0);
    w.world.advance(MS);
    expect(w.up).to.have.length(0);
    nothingLeft(w);
  });
});

describe("virtif: receiving", () => {
  it("gives up frames of every length, whole and in order, also those longer than a cluster", () => {
    const w = new VirtWorld().running();
    expect(w.mtu(9000)).to.equal(0);
    const sizes = [46, 1, 100, 1500, 2031, 2032, 2033, 4000, 9000, 46];
    for (const [i, size] of sizes.entries()) w.peer.send(w.frame(size, i));
    w.world.advance(MS);
    expect(w.up.map((bytes) => bytes.length)).to.deep.equal(sizes);
    for (const [i, size] of sizes.entries()) expect(w.up[i]).to.deep.equal(pattern(size, i));
    nothingLeft(w);
  });

  it("drains far more than one batch", () => {
    const w = new VirtWorld().running();
    for (let i = 0; i < 1000; i++) w.peer.send(w.frame(50, i));
    w.world.advance(MS);
    expect(w.up).to.have.length(1000);
    expect(w.up[777]).to.deep.equal(pattern(50, 777));
    expect(w.ifp.if_data[IFD_IPACKETS]).to.equal(1000);
    nothingLeft(w);
  });

  it("goes on with the buffers it has when the pools are exhausted, and recovers", () => {
    const w = new VirtWorld({ nmbclusters: 96 }).running();
    w.keep = true;
    for (let i = 0; i < 500; i++) w.peer.send(w.frame(300, i));
    w.world.advance(20 * MS);
    expect(w.up.length).to.be.within(90, 96);
    for (const m of w.kept.splice(0)) m_freem(m);
    w.keep = false;
    w.world.advance(100 * MS);
    expect(w.up).to.have.length(500);
    for (let i = 0; i < 500; i++) expect(w.up[i]).to.deep.equal(pattern(300, i));
    nothingLeft(w);
  });
});

describe("virtif: sending", () => {
  it("sends a burst larger than the queue in one entry, in order", () => {
    const w = new VirtWorld().running();
    w.within(() => {
      for (let i = 0; i < 700; i++) expect(w.output(pattern(46 + i, i), 150)).to.equal(0);
    });
    w.world.advance(MS);
    expect(w.out).to.have.length(700);
    for (const [i, bytes] of w.out.entries()) expect(bytes.subarray(14)).to.deep.equal(pattern(46 + i, i));
    expect(w.ifp.if_data[IFD_OPACKETS]).to.equal(700);
    nothingLeft(w);
  });

  it("sends a packet of very many pieces, and drops one that is empty", () => {
    const w = new VirtWorld().running();
    w.within(() => {
      expect(w.output(pattern(1400, 1), 11)).to.equal(0);
      expect(w.output(pattern(60, 2), 60)).to.equal(0);
    });
    w.world.advance(MS);
    expect(w.out.map((bytes) => bytes.length)).to.deep.equal([1414, 74]);
    expect(w.out[0]?.subarray(14)).to.deep.equal(pattern(1400, 1));
    nothingLeft(w);
  });

  it("waits for a device that is full, keeps the order, and loses nothing that it has taken", () => {
    const port = new FakePort(0);
    const w = new VirtWorld({}, port).running();
    const lengths: number[] = [];
    let room = 5;
    port.transmit = (ctl, n) => {
      const taken = Math.min(n, room);
      room -= taken;
      for (let i = 0; i < taken; i++) lengths.push(ctl[8 + i * 12 + 2] ?? 0);
      return taken;
    };
    w.within(() => {
      for (let i = 0; i < 20; i++) w.output(pattern(46 + i, i), 100);
    });
    expect(lengths).to.have.length(5);
    expect(w.ifp.if_flags & IFF_OACTIVE).to.equal(IFF_OACTIVE);
    w.within(() => w.output(pattern(99, 0), 100));
    expect(lengths).to.have.length(5);
    room = 1000;
    w.within(() => port.up?.frames_tx_ready());
    expect(lengths).to.deep.equal([...Array.from({ length: 20 }, (_, i) => 60 + i), 113]);
    expect(w.ifp.if_flags & IFF_OACTIVE).to.equal(0);
    nothingLeft(w);
    expect(port.closed).to.equal(true);
  });

  it("counts frames that the host refuses, and drops what is queued when it goes down", () => {
    const port = new FakePort(0);
    const w = new VirtWorld({}, port).running();
    port.transmit = (ctl, n) => {
      ctl[FRH_DROPPED] = 2;
      return n;
    };
    w.within(() => {
      for (let i = 0; i < 3; i++) w.output(pattern(46, i), 100);
    });
    expect(w.ifp.if_data[IFD_OERRORS]).to.equal(2);
    port.transmit = () => 0;
    w.within(() => w.output(pattern(46, 1), 100));
    expect(w.ifp.if_snd.ifq_len).to.equal(1);
    expect(w.flags(false)).to.equal(0);
    expect([w.ifp.if_snd.ifq_len, w.ifp.if_flags & (IFF_RUNNING | IFF_OACTIVE)]).to.deep.equal([0, 0]);
    expect(port.enabled).to.equal(false);
    nothingLeft(w);
  });

  it("reports the link down when the port has gone", () => {
    const port = new FakePort(0);
    const w = new VirtWorld({}, port).running();
    port.receive = () => -ENXIO;
    w.within(() => port.up?.frames_rx_ready());
    expect(w.ifp.if_link_state).to.equal(LINK_STATE_DOWN);
    expect(w.mtu(70_000)).to.equal(EINVAL);
    nothingLeft(w);
  });
});
