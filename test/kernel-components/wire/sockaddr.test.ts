import { expect } from "chai";
import fc from "fast-check";
import {
  AF_INET,
  AF_INET6,
  AF_LINK,
  AF_LOCAL,
  mk_sockaddr_dl,
  mk_sockaddr_in,
  mk_sockaddr_in6,
  mk_sockaddr_un,
  sa_family,
  sa_len,
  sdl_alen,
  sdl_index,
  sdl_lladdr,
  sdl_name,
  sdl_nlen,
  sdl_slen,
  sdl_type,
  sin6_addr,
  sin6_flowinfo,
  sin6_port,
  sin6_scope_id,
  sin_addr,
  sin_init,
  sin_port,
  sin_set_addr,
  sin_set_port,
  sockaddr_check,
  sockaddr_equal,
  sockaddr_ntoa,
  sun_path,
} from "../../../kernel-components/wire/sockaddr.ts";
import { WIRE_ELEN, WIRE_ETRUNC, WIRE_ETYPE, WIRE_OK } from "../../../kernel-components/wire/wire_error.ts";
import { blob, hex, i32, mac, u16, unhex } from "./bytes.ts";

describe("wire/sockaddr", () => {
  it("lays out a sockaddr_in as NetBSD does", () => {
    const sa = mk_sockaddr_in(0xc0a80001 | 0, 53);
    expect(unhex(sa)).to.equal("10020035c0a800010000000000000000");
    expect([sa_len(sa), sa_family(sa), sin_port(sa), sin_addr(sa)]).to.deep.equal([16, AF_INET, 53, 0xc0a80001 | 0]);
  });

  it("reads and writes a sockaddr_in at an offset, clearing sin_zero", () => {
    fc.assert(
      fc.property(i32, u16, (addr, port) => {
        const b = new Uint8Array(20).fill(0xee);
        sin_init(b, addr, port, 3);
        expect(b.slice(3, 19)).to.deep.equal(mk_sockaddr_in(addr, port));
        expect([b[2], b[19]]).to.deep.equal([0xee, 0xee]);
        sin_set_addr(b, ~addr, 3);
        sin_set_port(b, port ^ 0xffff, 3);
        expect([sin_addr(b, 3), sin_port(b, 3)]).to.deep.equal([~addr, port ^ 0xffff]);
      }),
    );
  });

  it("lays out a sockaddr_in6, the scope in the machine's order", () => {
    const sa = mk_sockaddr_in6(hex("fe800000000000000000000000000001"), 80, 0x01020304, 0x0a0b0c0d);
    expect(unhex(sa)).to.equal("1c1800500a0b0c0dfe80000000000000000000000000000104030201");
    expect([sa_family(sa), sin6_port(sa), sin6_scope_id(sa), sin6_flowinfo(sa)]).to.deep.equal([
      AF_INET6,
      80,
      0x01020304,
      0x0a0b0c0d,
    ]);
    expect(unhex(sin6_addr(sa))).to.equal("fe800000000000000000000000000001");
  });

  it("lays out a sockaddr_dl with name and address behind one another", () => {
    const sa = mk_sockaddr_dl(0x0102, 6, "shmif0", hex("b2a0ab000001"));
    expect(unhex(sa)).to.equal("14120201" + "06060600" + "73686d696630" + "b2a0ab000001");
    expect([sdl_index(sa), sdl_type(sa), sdl_nlen(sa), sdl_alen(sa), sdl_slen(sa)]).to.deep.equal([258, 6, 6, 6, 0]);
    expect([sdl_name(sa), unhex(sdl_lladdr(sa))]).to.deep.equal(["shmif0", "b2a0ab000001"]);
    expect(unhex(mk_sockaddr_dl(1, 24))).to.equal("0812010018000000");
  });

  it("lays out a sockaddr_un of SUN_LEN bytes and reads it with or without a NUL", () => {
    const sa = mk_sockaddr_un("/tmp/s");
    expect(unhex(sa)).to.equal("0801" + "2f746d702f73");
    expect([sa_family(sa), sun_path(sa)]).to.deep.equal([AF_LOCAL, "/tmp/s"]);
    expect(sun_path(hex("6a01 2f61 00 6262"))).to.equal("/a");
    expect(mk_sockaddr_un("x".repeat(300)).length).to.equal(106);
  });

  it("reads back what it builds", () => {
    fc.assert(
      fc.property(u16, fc.stringMatching(/^[a-z]{0,15}[0-9]?$/), fc.option(mac, { nil: null }), (index, name, ll) => {
        const sa = mk_sockaddr_dl(index, 6, name, ll);
        expect(sockaddr_check(sa)).to.equal(WIRE_OK);
        expect([sdl_index(sa), sdl_name(sa), sdl_lladdr(sa)]).to.deep.equal([index, name, ll ?? new Uint8Array(0)]);
      }),
    );
  });

  it("refuses lengths that are wrong for the family or beyond the bytes, and unknown families", () => {
    const dl = mk_sockaddr_dl(1, 6, "lo0", hex("010203"));
    const cases: [string, number][] = [
      ["", WIRE_ETRUNC],
      ["10", WIRE_ETRUNC],
      ["0002", WIRE_ELEN],
      ["1002", WIRE_ELEN],
      [unhex(mk_sockaddr_in(1)).replace("10", "0f"), WIRE_ELEN],
      [unhex(mk_sockaddr_in(1)).replace("10", "11") + "00", WIRE_ELEN],
      [unhex(mk_sockaddr_in6(new Uint8Array(16))).slice(0, 54), WIRE_ELEN],
      ["6b01" + "61".repeat(105), WIRE_ELEN],
      ["0712010006000000", WIRE_ELEN],
      [unhex(dl).replace("0303", "0304"), WIRE_ELEN],
      ["0263", WIRE_ETYPE],
      [unhex(dl), WIRE_OK],
    ];
    for (const [bytes, want] of cases) expect(sockaddr_check(hex(bytes)), bytes).to.equal(want);
  });

  it("compares by length and bytes", () => {
    expect(sockaddr_equal(mk_sockaddr_in(1, 2), mk_sockaddr_in(1, 2))).to.equal(true);
    expect(sockaddr_equal(mk_sockaddr_in(1, 2), mk_sockaddr_in(1, 3))).to.equal(false);
    expect(sockaddr_equal(mk_sockaddr_un("/a"), mk_sockaddr_un("/ab"))).to.equal(false);
  });

  it("prints each family, and never throws on random bytes", () => {
    expect(sockaddr_ntoa(mk_sockaddr_in(0x7f000001, 53))).to.equal("127.0.0.1:53");
    expect(sockaddr_ntoa(mk_sockaddr_in6(hex("fe800000000000000000000000000001"), 1, 2))).to.equal("[fe80::1%2]:1");
    expect(sockaddr_ntoa(mk_sockaddr_dl(2, 6, "shmif0", hex("02000000000a")))).to.equal(
      "link#2 shmif0 02:00:00:00:00:0a",
    );
    expect(sockaddr_ntoa(mk_sockaddr_un("/x"))).to.equal("/x");
    fc.assert(
      fc.property(blob(40), fc.constantFrom(AF_INET, AF_INET6, AF_LINK, AF_LOCAL), (b, af) => {
        if (b.length > 1) b[1] = af;
        expect(sockaddr_ntoa(b)).to.be.a("string");
        expect(sdl_name(b) + sun_path(b) + unhex(sdl_lladdr(b))).to.be.a("string");
      }),
    );
  });
});
