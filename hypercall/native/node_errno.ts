// Errors of Node's own modules as NetBSD numbers.
import { constants } from "node:os";
import { EIO } from "../api/errno.ts";
import { errtrans } from "./errtrans.ts";

const HOST_NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(constants.errno));

/** The code of an error, such as "ENOENT"; "" when it has none. */
export function error_code(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The NetBSD errno of an error; EIO when it is not one of the system. */
export function node_errno(error: unknown): number {
  const host = HOST_NUMBERS.get(error_code(error));
  return host === undefined ? EIO : errtrans(host);
}
