import { constants } from "node:os";
import { expect } from "chai";
import { EINVAL } from "../../../hypercall/api/errno.ts";
import { errno_number } from "../../../hypercall/api/errno_names.ts";
import { errtrans } from "../../../hypercall/native/errtrans.ts";

describe("errtrans", () => {
  it("gives every host error whose name NetBSD knows that name's number", () => {
    let known = 0;
    for (const [name, host] of Object.entries(constants.errno)) {
      // One number with two names on Linux; NetBSD tells them apart.
      if (name === "ENOTSUP") continue;
      const expected = errno_number(name);
      if (expected <= 0) continue;
      known++;
      expect(errtrans(host), name).to.equal(expected);
      expect(errtrans(-host), name).to.equal(expected);
    }
    expect(known).to.be.greaterThan(70);
  });

  it("keeps success, and never answers success or a number that NetBSD has not for a failure", () => {
    expect(errtrans(0)).to.equal(0);
    for (let host = 1; host < 300; host++) expect(errtrans(host)).to.be.within(1, 98);
    expect(errtrans(200)).to.equal(EINVAL);
  });
});
