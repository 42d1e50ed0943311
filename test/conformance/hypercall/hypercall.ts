// The conformance suite of the hypercall interface. A host is done when it passes: hypercallConformance("name", makeSubject).
import type { Subject } from "./subject.ts";
import { busConformance } from "./bus.ts";
import { clockConformance } from "./clock.ts";
import { fileConformance } from "./file.ts";
import { framesConformance } from "./frames.ts";
import { memoryConformance } from "./memory.ts";
import { processConformance } from "./process.ts";
import { spConformance } from "./sp.ts";
import { threadConformance } from "./thread.ts";

/** Runs every group of the suite on the host that `make` makes; `before` may skip it. */
export function hypercallConformance(
  name: string,
  make: () => Subject,
  before_each: (test: Mocha.Context) => void = () => {},
): void {
  describe(`hypercall conformance: ${name}`, () => {
    let subject: Subject | null = null;
    beforeEach(function () {
      before_each(this);
      subject = make();
    });
    afterEach(() => {
      subject?.close();
      subject = null;
    });
    const get = (): Subject => {
      if (subject === null) throw new Error("no subject");
      return subject;
    };
    processConformance(get);
    clockConformance(get);
    memoryConformance(get);
    fileConformance(get);
    threadConformance(get);
    spConformance(get);
    busConformance(get);
    framesConformance(get);
  });
}
