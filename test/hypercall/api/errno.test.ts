import { expect } from "chai";
import * as errno from "../../../hypercall/api/errno.ts";
import { errno_name, errno_names, errno_number, strerror } from "../../../hypercall/api/errno_names.ts";

describe("errno", () => {
  const numbers = new Map(Object.entries(errno).filter(([, n]) => n > 0));

  it("has a constant, a name and a text for every number, all different", () => {
    expect(errno_names.length).to.equal(errno.ELAST + 1);
    const texts = new Set<string>();
    for (let n = 1; n <= errno.ELAST; n++) {
      expect(numbers.get(errno_name(n)), errno_name(n)).to.equal(n);
      expect(errno_number(errno_name(n))).to.equal(n);
      texts.add(strerror(n));
    }
    expect(texts.size).to.equal(errno.ELAST);
  });

  it("has NetBSD's numbers where other systems differ (sys/sys/errno.h)", () => {
    expect([errno.EDEADLK, errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOTSOCK, errno.EOPNOTSUPP]).to.deep.equal([
      11, 35, 35, 38, 45,
    ]);
    expect([errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.EFTYPE, errno.EILSEQ, errno.EPROTO]).to.deep.equal([
      61, 65, 79, 85, 96,
    ]);
  });

  it("answers for numbers and names that do not exist", () => {
    expect([errno_name(4711), strerror(4711), errno_number("EWHAT"), strerror(0)]).to.deep.equal([
      "errno 4711",
      "unknown error 4711",
      -1,
      "no error",
    ]);
  });
});
