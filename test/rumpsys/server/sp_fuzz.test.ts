// A hostile client that keeps to the framing: every system call with any arguments. The kernel may refuse, but neither break nor leak.
import { expect } from "chai";
import fc from "fast-check";
import { SimWorld } from "../../../hypercall/sim/sim_world.ts";
import { slab_create } from "../../../hypercall/slab/slab.ts";
import type { SpConn } from "../../../hypercall/api/sp.ts";
import { rump_init_sync } from "../../../rumpsys/rump_init.ts";
import { SpServer } from "../../../rumpsys/server/sp_server.ts";
import { sp_syscall_table } from "../../../rumpsys/server/sp_syscalls.ts";
import { type SpArg, sp_args_encode, sp_in, sp_inout, sp_int, sp_out } from "../../../rumpsys/sp/sp_args.ts";
import * as P from "../../../rumpsys/sp/sp_proto.ts";
import { SpReader } from "../../../rumpsys/sp/sp_reader.ts";
import { SYS_bind, SYS_open, SYS_reboot, SYS_socket, SYS_socketpair } from "../../../rumpsys/sp/sp_sysnum.ts";

const CALLS = [...sp_syscall_table()].filter(([num]) => num !== SYS_reboot);
const RUNS = 60;

/** Numbers that mean something to some call, and any. */
const int = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1, max: 8 }) },
  fc.constantFrom(0, 1, 2, 3, 16, 18, 24, 34, 0xffff, 0x1002, 0x1005, 1 << 30, -1, 0x2000_0000, 0x1000_0000),
  fc.integer(),
  fc.maxSafeInteger(),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constant(Uint8Array.from([16, 2, 0, 7, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])),
  fc.constant(new TextEncoder().encode("/dev/bpf")),
  fc.constant(Uint8Array.from([16, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
  fc.uint8Array({ minLength: 144, maxLength: 160 }),
  fc.constant(new Uint8Array(Int32Array.from([4, 34, 0, 0, 1, 0]).buffer)),
  fc.constant(new Uint8Array(Int32Array.from([1, -2]).buffer)),
);

function argument(letter: string): fc.Arbitrary<SpArg> {
  switch (letter) {
    case "i":
      return int.map(sp_int);
    case "b":
      return bytes.map((b) => sp_in(b));
    case "B":
      return fc.option(bytes).map((b) => sp_in(b));
    case "o":
      return fc.nat(3000).map((n) => sp_out(new Uint8Array(n)));
    case "O":
      return fc.option(fc.nat(3000)).map((n) => sp_out(n === null ? null : new Uint8Array(n)));
    default:
      return bytes.map((b) => sp_inout(b));
  }
}

const call = fc
  .constantFrom(...CALLS)
  .chain(([num, { spec }]) => fc.tuple(fc.constant(num), fc.tuple(...spec.split("").map(argument))));

/** Descriptors of every kind, so that the calls that follow have something to work on. */
const SETUP: readonly [number, SpArg[]][] = [
  [SYS_socket, [sp_int(2), sp_int(2), sp_int(0)]],
  [SYS_socket, [sp_int(2), sp_int(3), sp_int(1)]],
  [SYS_socket, [sp_int(34), sp_int(3), sp_int(0)]],
  [SYS_socketpair, [sp_int(1), sp_int(1), sp_int(0)]],
  [SYS_open, [sp_in(new TextEncoder().encode("/dev/bpf")), sp_int(2)]],
  [SYS_bind, [sp_int(0), sp_in(Uint8Array.from([16, 2, 0, 7, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]))]],
];

describe("rumpsys/server: any call with any arguments", function () {
  this.timeout(30_000);

  it("harms neither the kernel nor another client", () => {
    const slab = slab_create(64 * 1024 * 1024);
    let worked = 0;
    const count = (f: P.SpFrame): boolean => {
      if (f.class === P.SP_RESP && f.type === P.SP_SYSCALL && f.payload[0] === 0) worked++;
      return true;
    };
    fc.assert(
      fc.property(fc.array(call, { minLength: 20, maxLength: 120 }), (calls) => {
        const world = new SimWorld({ slab });
        const rk = rump_init_sync(world.host("kernel"));
        const server = new SpServer(rk.k, {});
        rk.k.host.sp.rumpuser_sp_init("unix://k", server, () => undefined);
        world.advance(1000);
        let conn: SpConn | null = null;
        const reader = new SpReader();
        let greeted = false;
        world.host("client").sp.rumpuser_sp_connect(
          "unix://k",
          {
            sp_data: (b) => (greeted ? reader.push(b, count) : (greeted = true)),
            sp_drained: () => undefined,
            sp_closed: () => undefined,
          },
          (c) => {
            conn = c;
          },
        );
        world.advance(1000);
        const send = (frame: Uint8Array): void => {
          conn?.send(frame);
          world.advance(1e6);
        };
        send(P.sp_frame(1, P.SP_REQ, P.SP_HANDSHAKE, P.SP_HANDSHAKE_GUEST, new TextEncoder().encode("fuzz")));
        [...SETUP, ...calls].forEach(([num, args], i) => {
          const frame = sp_args_encode(args);
          if (frame === null) return;
          P.sp_header(frame, i + 2, P.SP_REQ, P.SP_SYSCALL, num);
          send(frame);
        });
        world.advance(2e9);
        expect(rk.k.panicstr).to.equal(null);
        expect(server.spstat[2], "well-formed calls are not refused").to.equal(0);
        expect(rk.shutdown().text).to.equal("");
      }),
      { numRuns: RUNS },
    );
    expect(worked, "some calls do something").to.be.above(RUNS * 10);
  });
});
