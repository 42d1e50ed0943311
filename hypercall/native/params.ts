// Parameters group: the environment of the process, or what the caller gives instead.
import { type HyperParam, RUMPUSER_PARAM_HOSTNAME, RUMPUSER_PARAM_NCPU } from "../api/param.ts";

/** The parameters of one kernel. */
export class NativeParam implements HyperParam {
  private readonly given: ReadonlyMap<string, string>;

  /** `given` wins over the environment. */
  constructor(given: Readonly<Record<string, string>>, env: Readonly<Record<string, string | undefined>>) {
    const all = new Map<string, string>([
      [RUMPUSER_PARAM_NCPU, "1"],
      [RUMPUSER_PARAM_HOSTNAME, `rump-${String(process.pid).padStart(5, "0")}.host`],
    ]);
    for (const source of [env, given]) {
      for (const [name, value] of Object.entries(source)) if (value !== undefined) all.set(name, value);
    }
    all.set(RUMPUSER_PARAM_NCPU, "1");
    this.given = all;
  }

  rumpuser_getparam(name: string): string | null {
    return this.given.get(name) ?? null;
  }
}
