import { expect } from "chai";
import { EAGAIN, EDESTADDRREQ, EINVAL, EISCONN, EMSGSIZE } from "../../../hypercall/api/errno.ts";
import { IP_HDRINCL } from "../../../kernel-components/inet/in.ts";
import { SOCK_RAW } from "../../../kernel-components/socket/socket_abi.ts";
import { IPPROTO_ICMP, IPPROTO_IP, IPPROTO_RAW } from "../../../kernel-components/wire/in.ts";
import { bytes, icmp_bytes, InetWorld, int, ip4, MS, pair } from "./inet_world.ts";

describe("raw_ip: sockets of a protocol", () => {
  it("see packets with their header, each socket its own, and what ICMP does not answer itself", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const p99 = k.socket(SOCK_RAW, 99);
    const all = k.socket(SOCK_RAW, 0);
    const icmp = k.socket(SOCK_RAW, IPPROTO_ICMP);
    st.ip("10.0.0.1", 99, bytes(33));
    st.ip("10.0.0.1", 98, bytes(3));
    st.icmp("10.0.0.1", 0, 0, 5, bytes(4));
    st.echo("10.0.0.1");
    w.run(10 * MS);
    const d = k.got(p99);
    expect([d.addr, d.port, d.data.length, d.data[0], d.data[9]]).to.deep.equal([ip4("10.0.0.2"), 0, 53, 0x45, 99]);
    expect(d.data.subarray(20)).to.deep.equal(bytes(33));
    expect(k.recv(p99)).to.equal(EAGAIN);
    expect([k.got(all), k.got(all), k.got(all)].map((x) => x.data[9])).to.deep.equal([99, 98, 1]);
    expect(k.got(icmp).data[20]).to.equal(0);
    expect(k.recv(icmp)).to.equal(EAGAIN);
    expect(st.take().map((p) => [p.ip.ip_p, p.data[0]])).to.deep.equal([[1, 0]]);
    for (const fd of [p99, all, icmp]) k.close(fd);
    w.end();
  });

  it("send: the kernel's header, or with IP_HDRINCL the program's, checked and completed", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.socket(SOCK_RAW, IPPROTO_ICMP);
    expect(k.sendto(fd, icmp_bytes(8, 0, 7, bytes(9)), "10.0.0.2", 0)).to.equal(0);
    w.run(MS);
    const p = st.one();
    expect([p.ip.ip_src, p.ip.ip_ttl, p.ip.ip_p]).to.deep.equal([ip4("10.0.0.1"), 255, 1]);
    expect(p.data).to.deep.equal(icmp_bytes(8, 0, 7, bytes(9)));
    const raw = k.socket(SOCK_RAW, IPPROTO_RAW);
    expect(k.setsockopt(raw, IPPROTO_IP, IP_HDRINCL, int(1))).to.equal(0);
    const mine = st.packet("10.0.0.2", 200, bytes(11), { ip_src: ip4("10.0.0.1"), ip_ttl: 3, ip_id: 0 });
    expect(k.sendto(raw, mine, "10.0.0.2", 0)).to.equal(0);
    w.run(MS);
    const q = st.one();
    expect([q.ip.ip_ttl, q.ip.ip_p, q.ip.ip_id !== 0]).to.deep.equal([3, 200, true]);
    expect(k.sendto(raw, mine.slice(0, 19), "10.0.0.2", 0)).to.equal(EINVAL);
    expect(k.sendto(raw, mine.slice(0, 30), "10.0.0.2", 0)).to.equal(EINVAL);
    const lie = mine.slice();
    lie[0] = 0x4f;
    expect(k.sendto(raw, lie, "10.0.0.2", 0)).to.equal(EINVAL);
    expect(k.sendto(fd, bytes(65530), "10.0.0.2", 0)).to.equal(EMSGSIZE);
    k.close(fd);
    k.close(raw);
    w.end();
  });

  it("take from their peer only when connected", () => {
    const w = new InetWorld();
    const { k, st } = pair(w);
    const fd = k.socket(SOCK_RAW, 99);
    expect(k.send(fd, bytes(1))).to.equal(EDESTADDRREQ);
    expect(k.connect(fd, "10.0.0.2", 0)).to.equal(0);
    expect(k.sendto(fd, bytes(1), "10.0.0.3", 0)).to.equal(EISCONN);
    st.ip("10.0.0.1", 99, bytes(1), { ip_src: ip4("10.0.0.3") });
    st.ip("10.0.0.1", 99, bytes(2));
    w.run(MS);
    expect(k.got(fd).data.length).to.equal(22);
    expect(k.recv(fd)).to.equal(EAGAIN);
    k.close(fd);
    w.end();
  });

  it("are for the superuser", () => {
    const w = new InetWorld();
    const { k } = pair(w);
    const user = k.rk.process("user", 1000, 1000);
    expect(() => user.rumpSys.socket(2, SOCK_RAW, 1)).to.throw(/EACCES/);
    user.exit();
    w.end();
  });
});
