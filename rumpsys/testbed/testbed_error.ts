/**
 * What a testbed throws: a sentence that names the node, link or option that is wrong.
 */

/** A testbed can't be described, started or asked like this. */
export class TestbedError extends Error {
  override readonly name: string = "TestbedError";
}
