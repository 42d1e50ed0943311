// URLs of local streams: unix://path, three slashes for an absolute path, as in rump_sp(7).
import { EINVAL, ENAMETOOLONG } from "../api/errno.ts";
import { SP_PATH_MAX } from "../api/sp.ts";

const SCHEME = "unix://";

/** A parsed URL, or why it is none. */
export interface SpAddress {
  /** 0 or an errno. */
  readonly err: number;
  /** Path of the socket. */
  readonly path: string;
  /** What was wrong. */
  readonly text: string;
}

/** The path that `url` names. */
export function sp_parse(url: string): SpAddress {
  if (!url.startsWith(SCHEME)) {
    return { err: EINVAL, path: "", text: `${JSON.stringify(url)}: a kernel is reached at unix://path` };
  }
  const path = url.slice(SCHEME.length);
  if (path === "" || path.includes("\0"))
    return { err: EINVAL, path: "", text: `${JSON.stringify(url)}: names no path` };
  const bytes = Buffer.byteLength(path);
  if (bytes > SP_PATH_MAX) {
    return {
      err: ENAMETOOLONG,
      path: "",
      text: `${url}: ${bytes} bytes of path, and a socket can have ${SP_PATH_MAX}`,
    };
  }
  return { err: 0, path, text: "" };
}
