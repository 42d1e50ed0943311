// What a protocol can do to a socket: a toy stream with an out-of-band mark, records, refusals and failures.
import { expect } from "chai";
import { EHOSTUNREACH, EINVAL, ENOTTY, ECONNREFUSED } from "../../../hypercall/api/errno.ts";
import { RUMP_COMPONENT_NET } from "../../../kernel-components/kern/component.ts";
import type { RumpComponent } from "../../../kernel-components/kern/component.ts";
import { FIONREAD, _IOR } from "../../../kernel-components/kern/ioccom.ts";
import { M_EOR } from "../../../kernel-components/kern/mbuf.ts";
import type { Mbuf } from "../../../kernel-components/kern/mbuf.ts";
import { m_freem } from "../../../kernel-components/kern/mbuf_alloc.ts";
import { POLLIN, POLLPRI } from "../../../kernel-components/kern/select.ts";
import { Domain, domain_attach, domain_detach } from "../../../kernel-components/socket/domain.ts";
import {
  PR_CONNREQUIRED,
  PR_LISTEN,
  PR_WANTRCVD,
  Protosw,
  PrUsrreqs,
} from "../../../kernel-components/socket/protosw.ts";
import { SIOCATMARK } from "../../../kernel-components/socket/sys_socket.ts";
import { sbappend, sbappendstream } from "../../../kernel-components/socket/sockbuf_append.ts";
import { soreserve } from "../../../kernel-components/socket/sockbuf_reserve.ts";
import {
  MSG_EOR,
  MSG_OOB,
  MSG_PEEK,
  SO_ERROR,
  SO_LINGER,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../../kernel-components/socket/socket_abi.ts";
import { SOCKET_LAYER, SS_ISCONNECTED, SS_RCVATMARK } from "../../../kernel-components/socket/socketvar.ts";
import type { Socket } from "../../../kernel-components/socket/socketvar.ts";
import { sofree } from "../../../kernel-components/socket/sofree.ts";
import {
  sohasoutofband,
  soisconnected,
  soisconnecting,
  soisdisconnected,
  sonewconn,
  sorwakeup,
  soupcall_set,
} from "../../../kernel-components/socket/uipc_socket2.ts";
import { getsock } from "../../../kernel-components/socket/uipc_syscalls.ts";
import { SimRump, bytes, codeOf, codeOfAsync, settled, text } from "../../rumpsys/sim_rump.ts";

const AF_TOY = 27;

/** A stream that sends to itself. */
class Toy {
  readonly so: Socket[] = [];
  rcvd = 0;
  connect_result: "now" | "later" | number = "now";
  oob: number[] = [];
  lingering = false;
  m_eor = 0;

  component(): RumpComponent {
    const usr = new PrUsrreqs({
      pr_attach: (so) => {
        const error = soreserve(so, 4000, 4000);
        if (error === 0) {
          so.so_pcb = this;
          this.so.push(so);
        }
        return error;
      },
      pr_detach: (so) => {
        so.so_pcb = null;
      },
      pr_connect: (so) => {
        if (typeof this.connect_result === "number") return this.connect_result;
        if (this.connect_result === "now") soisconnected(so);
        else soisconnecting(so);
        return 0;
      },
      pr_disconnect: (so) => {
        if (!this.lingering) soisdisconnected(so);
        return 0;
      },
      pr_send: (so, m, _nam, control) => {
        m_freem(control);
        for (let n: Mbuf | null = m; n !== null; n = n.m_next) this.m_eor |= n.m_flags & M_EOR;
        if (this.m_eor !== 0) sbappend(so.so_rcv, m);
        else sbappendstream(so.so_rcv, m);
        sorwakeup(so);
        return 0;
      },
      pr_sendoob: (so, m, control) => {
        m_freem(control);
        so.so_oobmark = so.so_rcv.sb_cc;
        if (so.so_oobmark === 0) so.so_state |= SS_RCVATMARK;
        sohasoutofband(so);
        for (let i = 0; i < m.m_len; i++) this.oob.push(m.m_pool.u8[m.m_off + i] as number);
        m_freem(m);
        return 0;
      },
      pr_recvoob: (_so, m, flags) => {
        if (this.oob.length === 0) return EINVAL;
        m.m_pool.u8[m.m_off] = this.oob[0] as number;
        m.m_len = 1;
        if ((flags & MSG_PEEK) === 0) this.oob.shift();
        return 0;
      },
      pr_rcvd: () => {
        this.rcvd++;
        return 0;
      },
      pr_ioctl: (_so, cmd, data) => {
        if (cmd !== _IOR("T", 1, 4)) return ENOTTY;
        data[0] = 99;
        return 0;
      },
    });
    const proto = new Protosw({
      pr_type: SOCK_STREAM,
      pr_protocol: 0,
      pr_flags: PR_CONNREQUIRED | PR_WANTRCVD | PR_LISTEN,
      pr_usrreqs: usr,
    });
    const dom = new Domain({ dom_family: AF_TOY, dom_name: "toy", dom_protosw: [proto] });
    return {
      name: "toy",
      requires: ["socket"],
      excludes: [],
      init: { [RUMP_COMPONENT_NET]: (k) => domain_attach(k.softc(SOCKET_LAYER), dom) },
      fini: { [RUMP_COMPONENT_NET]: (k) => domain_detach(k.softc(SOCKET_LAYER), dom) },
    };
  }
}

describe("accept queues", () => {
  let t: SimRump;
  let head: Socket;
  let toy: Toy;
  beforeEach(() => {
    toy = new Toy();
    t = new SimRump([toy.component()]);
    t.sys.socket(AF_TOY, SOCK_STREAM);
    head = toy.so[0] as Socket;
    head.so_options |= 2; // SO_ACCEPTCONN
    head.so_qlimit = 2;
  });
  afterEach(() => t.end());
  const drop = (so: Socket): void => {
    so.so_pcb = null;
    sofree(so);
  };

  it("an incomplete connection counts, moves up when it is complete, and vanishes when it fails", async () => {
    const [one, two] = [sonewconn(head, 0) as Socket, sonewconn(head, 0) as Socket];
    expect([head.so_q0len, head.so_qlen]).to.deep.equal([2, 0]);
    const accepting = t.sys.accept(0);
    drop(one);
    expect([head.so_q0len, t.layer.nsockets]).to.deep.equal([1, 2]);
    t.rk.k.enter();
    soisconnected(two);
    t.rk.k.leave();
    expect([head.so_q0len, head.so_qlen]).to.deep.equal([0, 0]); // accept took it at once
    expect(await codeOfAsync(accepting)).to.equal("EOPNOTSUPP"); // the toy has no pr_accept
    expect(t.layer.nsockets).to.equal(1);
  });

  it("a complete connection that fails stays until accept sees it; the queue has a limit", () => {
    const so = sonewconn(head, SS_ISCONNECTED) as Socket;
    drop(so);
    expect([head.so_qlen, t.layer.nsockets]).to.deep.equal([1, 2]);
    expect(codeOf(() => t.sys.sync.accept(0))).to.equal("EOPNOTSUPP");
    expect(t.layer.nsockets).to.equal(1);
    const made = [0, 1, 2, 3, 4, 5].map(() => sonewconn(head, 0));
    expect(made.filter((s) => s !== null).length).to.equal(4); // one more than 3/2 of the backlog
    for (const s of made) if (s !== null) drop(s);
  });
});

describe("a protocol under the sockets layer", () => {
  let toy: Toy;
  let t: SimRump;
  let s: number;
  const buf = new Uint8Array(100);
  const PEER = Uint8Array.of(4, AF_TOY, 0, 0);
  beforeEach(() => {
    toy = new Toy();
    t = new SimRump([toy.component()]);
    s = t.sys.socket(AF_TOY, SOCK_STREAM);
  });
  afterEach(() => t.end());
  const atmark = (): number => {
    const d = new Uint8Array(4);
    t.sys.ioctl(s, SIOCATMARK, d);
    return d[0] as number;
  };
  const ready = (events: number): number => {
    const p = { fd: s, events, revents: 0 };
    t.sys.sync.poll([p]);
    return p.revents;
  };

  it("a plain stream tells the protocol what was read (PR_WANTRCVD)", async () => {
    await t.sys.connect(s, PEER);
    await t.sys.write(s, bytes("hello"));
    expect(text(buf, await t.sys.read(s, buf.subarray(0, 3)))).to.equal("hel");
    expect(text(buf, await t.sys.read(s, buf))).to.equal("lo");
    expect(toy.rcvd).to.equal(2);
  });

  it("reads stop at the out-of-band mark, SIOCATMARK and POLLPRI say so", async () => {
    await t.sys.connect(s, PEER);
    const urgent = t.sys.poll([{ fd: s, events: POLLPRI }]);
    await t.sys.write(s, bytes("before"));
    expect(await settled(urgent)).to.equal(false);
    expect(t.sys.sync.send(s, bytes("!"), MSG_OOB)).to.equal(1);
    expect(await urgent).to.equal(1);
    await t.sys.write(s, bytes("after"));
    expect([atmark(), ready(POLLPRI | POLLIN)]).to.deep.equal([0, POLLPRI | POLLIN]);
    expect(text(buf, t.sys.sync.recv(s, buf, MSG_PEEK))).to.equal("before");
    expect(text(buf, t.sys.sync.read(s, buf.subarray(0, 4)))).to.equal("befo");
    expect(atmark()).to.equal(0);
    expect(text(buf, t.sys.sync.read(s, buf))).to.equal("re");
    expect(atmark()).to.equal(1);
    expect(text(buf, t.sys.sync.recv(s, buf, MSG_OOB | MSG_PEEK))).to.equal("!");
    expect(text(buf, t.sys.sync.recv(s, buf, MSG_OOB))).to.equal("!");
    expect(codeOf(() => t.sys.sync.recv(s, buf, MSG_OOB))).to.equal("EINVAL");
    expect(text(buf, t.sys.sync.read(s, buf))).to.equal("after");
    expect([atmark(), ready(POLLPRI)]).to.deep.equal([0, 0]);
  });

  it("MSG_EOR marks the end of a record, receives stop there", async () => {
    await t.sys.connect(s, PEER);
    await t.sys.send(s, bytes("one"), MSG_EOR);
    await t.sys.send(s, bytes("two"), MSG_EOR);
    const first = await t.sys.recvmsg(s, { iov: buf });
    expect([text(buf, first.length), first.flags]).to.deep.equal(["one", MSG_EOR]);
    expect(t.sys.sync.recv(s, buf.subarray(0, 1))).to.equal(1);
    expect((await t.sys.recvmsg(s, { iov: buf })).flags).to.equal(MSG_EOR);
  });

  it("connect waits for the protocol; EINPROGRESS, EALREADY and SO_ERROR without waiting", async () => {
    toy.connect_result = "later";
    const c = t.sys.connect(s, PEER);
    expect(await settled(c)).to.equal(false);
    t.rk.k.enter();
    soisconnected(toy.so[0] as Socket);
    t.rk.k.leave();
    await c;
    const s2 = t.sys.socket(AF_TOY, SOCK_STREAM);
    expect(codeOf(() => t.sys.sync.connect(s2, PEER))).to.equal("EINPROGRESS");
    const so2 = toy.so[1] as Socket;
    t.sys.ioctl(s2, 0x8004667e | 0, new Uint8Array([1, 0, 0, 0]));
    expect(codeOf(() => t.sys.sync.connect(s2, PEER))).to.equal("EALREADY");
    so2.so_error = ECONNREFUSED;
    soisdisconnected(so2);
    expect(t.sys.getsockopt(s2, SOL_SOCKET, SO_ERROR)).to.equal(ECONNREFUSED);
    expect(t.sys.getsockopt(s2, SOL_SOCKET, SO_ERROR)).to.equal(0);
  });

  it("a failing connect rejects with the protocol's error, at once or later", async () => {
    toy.connect_result = EHOSTUNREACH;
    expect(await codeOfAsync(t.sys.connect(s, PEER))).to.equal("EHOSTUNREACH");
    toy.connect_result = "later";
    const c = t.sys.connect(s, PEER);
    t.rk.k.enter();
    (toy.so[0] as Socket).so_error = ECONNREFUSED;
    soisdisconnected(toy.so[0] as Socket);
    t.rk.k.leave();
    expect(await codeOfAsync(c)).to.equal("ECONNREFUSED");
  });

  it("an error wakes a reader once; without a connection ENOTCONN", async () => {
    expect(codeOf(() => t.sys.sync.read(s, buf))).to.equal("ENOTCONN");
    expect(codeOf(() => t.sys.sync.write(s, buf))).to.equal("ENOTCONN");
    await t.sys.connect(s, PEER);
    const r = t.sys.read(s, buf);
    t.rk.k.enter();
    (toy.so[0] as Socket).so_error = EHOSTUNREACH;
    sorwakeup(toy.so[0] as Socket);
    t.rk.k.leave();
    expect(await codeOfAsync(r)).to.equal("EHOSTUNREACH");
    expect(codeOf(() => t.sys.sync.read(s, buf))).to.equal("EAGAIN");
  });

  it("close with SO_LINGER waits for the protocol, or for the time", async () => {
    toy.lingering = true;
    const linger = new Uint8Array(Int32Array.of(1, 3).buffer);
    for (const how of ["done", "time"]) {
      const fd = t.sys.socket(AF_TOY, SOCK_STREAM);
      await t.sys.connect(fd, PEER);
      t.sys.setsockopt(fd, SOL_SOCKET, SO_LINGER, linger);
      const c = t.sys.close(fd);
      expect(await settled(c)).to.equal(false);
      t.ms(2900);
      expect(await settled(c), how).to.equal(false);
      if (how === "time") t.ms(200);
      else {
        t.rk.k.enter();
        soisdisconnected(toy.so[toy.so.length - 1] as Socket);
        t.rk.k.leave();
      }
      await c;
      expect(codeOf(() => t.sys.sync.read(fd, buf))).to.equal("EBADF");
    }
  });

  it("an upcall sees what arrives, in the kernel, and may read it there", async () => {
    await t.sys.connect(s, PEER);
    const seen: string[] = [];
    const f = t.rk.cx.get();
    soupcall_set(getsock(f.l, s) as Socket, () => seen.push(text(buf, t.sys.sync.read(s, buf))), null);
    t.rk.cx.put(f);
    await t.sys.write(s, bytes("one"));
    await t.sys.write(s, bytes("two"));
    expect(seen).to.deep.equal(["one", "two"]);
  });

  it("ioctls reach the protocol; unknown ones are ENOTTY", () => {
    const d = new Uint8Array(4);
    t.sys.ioctl(s, _IOR("T", 1, 4), d);
    expect(d[0]).to.equal(99);
    expect(codeOf(() => t.sys.ioctl(s, _IOR("T", 2, 4), d))).to.equal("ENOTTY");
    expect(codeOf(() => t.sys.ioctl(s, _IOR("i", 2, 4), d))).to.equal("ENOTTY");
    t.sys.ioctl(s, FIONREAD, d);
    expect(d[0]).to.equal(0);
  });

  it("what a protocol does not offer is EOPNOTSUPP", () => {
    expect(codeOf(() => t.sys.bind(s, PEER))).to.equal("EOPNOTSUPP");
    expect(codeOf(() => t.sys.listen(s))).to.equal("EOPNOTSUPP");
    expect(codeOf(() => t.sys.socketpair(AF_TOY, SOCK_STREAM))).to.equal("EOPNOTSUPP");
    expect(codeOf(() => t.sys.getsockname(s))).to.equal("EOPNOTSUPP");
  });
});
