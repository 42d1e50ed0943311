import { expect } from "chai";
import fc from "fast-check";
import {
  IN_CLASSA,
  IN_CLASSB,
  IN_CLASSC,
  IN_EXPERIMENTAL,
  IN_LINKLOCAL,
  IN_LOCAL_GROUP,
  IN_LOOPBACK,
  IN_MULTICAST,
  IN_PRIVATE,
  IN_ZERONET,
  in_len2mask,
  in_mask2len,
} from "../../../kernel-components/wire/in.ts";
import { inet_ntoa, inet_pton4 } from "../../../kernel-components/wire/inet_addr.ts";
import { i32 } from "./bytes.ts";

/** The int32 of a dotted quad. */
function a(text: string): number {
  const r = inet_pton4(text);
  expect(r.ok, text).to.equal(true);
  return r.addr;
}

describe("wire/in", () => {
  it("puts every address in exactly one class", () => {
    fc.assert(
      fc.property(i32, (i) => {
        const n = [IN_CLASSA, IN_CLASSB, IN_CLASSC, IN_MULTICAST, IN_EXPERIMENTAL].filter((f) => f(i)).length;
        expect(n, inet_ntoa(i)).to.equal(1);
      }),
    );
    expect(
      ["127.255.255.255", "191.255.255.255", "223.255.255.255", "239.255.255.255", "255.255.255.255"].map((t) =>
        [IN_CLASSA, IN_CLASSB, IN_CLASSC, IN_MULTICAST, IN_EXPERIMENTAL].findIndex((f) => f(a(t))),
      ),
    ).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it("knows the special blocks at both of their ends", () => {
    const blocks: [(i: number) => boolean, string, string, string, string][] = [
      [IN_LOOPBACK, "126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"],
      [IN_ZERONET, "255.255.255.255", "0.0.0.0", "0.255.255.255", "1.0.0.0"],
      [IN_LINKLOCAL, "169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"],
      [IN_LOCAL_GROUP, "223.255.255.255", "224.0.0.0", "224.0.0.255", "224.0.1.0"],
      [IN_PRIVATE, "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"],
      [IN_PRIVATE, "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"],
      [IN_PRIVATE, "192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"],
    ];
    for (const [f, before, first, last, after] of blocks)
      expect(
        [before, first, last, after].map((t) => f(a(t))),
        first,
      ).to.deep.equal([false, true, true, false]);
  });

  it("turns prefix lengths into masks and back, and refuses masks with holes", () => {
    for (let n = 0; n <= 32; n++) expect(in_mask2len(in_len2mask(n)), `/${n}`).to.equal(n);
    expect(inet_ntoa(in_len2mask(31))).to.equal("255.255.255.254");
    for (const m of ["255.0.255.0", "0.0.0.1", "127.255.255.255"]) expect(in_mask2len(a(m)), m).to.equal(-1);
  });
});
