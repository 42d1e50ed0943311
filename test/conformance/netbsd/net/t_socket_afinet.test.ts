// NetBSD tests/net/net/t_socket_afinet and t_raw, the cases without TCP.
import { expect } from "chai";
import { PF_INET, PF_ROUTE, SOCK_DGRAM, SOCK_RAW } from "../../../../kernel-components/socket/socket_abi.ts";
import { mk_sockaddr_in } from "../../../../kernel-components/wire/sockaddr.ts";
import { net_case } from "../../../support/net_world.ts";
import { codeOf } from "../../../rumpsys/sim_rump.ts";

describe("net/net/t_socket_afinet", () => {
  net_case("socket_afinet", (w) => {
    const sys = w.sys("host");
    sys.sync.close(sys.socket(PF_INET, SOCK_DGRAM));
  });

  net_case("socket_afinet_bind_zero", (w) => {
    // Refused, as by NetBSD, whose case is marked as an expected failure: family 0 is none.
    const sys = w.sys("host");
    const fd = sys.socket(PF_INET, SOCK_DGRAM);
    expect(codeOf(() => sys.bind(fd, new Uint8Array(16)))).to.be.oneOf(["EAFNOSUPPORT", "EINVAL"]);
    sys.sync.close(fd);
  });

  net_case("socket_afinet_bind_ok", (w) => {
    const sys = w.sys("host");
    const fd = sys.socket(PF_INET, SOCK_DGRAM);
    sys.bind(fd, mk_sockaddr_in(0x7f000001, 6666));
    expect(sys.getsockname(fd)).to.deep.include({ address: "127.0.0.1", port: 6666 });
    sys.sync.close(fd);
  });
});

describe("net/net/t_raw", () => {
  net_case("PRU_SENSE", (w) => {
    const sys = w.sys("host");
    for (const [domain, proto] of [
      [PF_INET, 0],
      [PF_ROUTE, 0],
    ] as const) {
      const fd = sys.socket(domain, SOCK_RAW, proto);
      for (let i = 0; i < 2; i++) expect(sys.fstat(fd)).to.not.equal(null);
      sys.sync.close(fd);
    }
  });
});
