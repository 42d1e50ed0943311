// Parameters group: the environment of the process, or what the caller gives instead.
import { type HyperParam, RUMPUSER_PARAM_HOSTNAME, RUMPUSER_PARAM_NCPU } from "../api/param.ts";

/** The parameters of one kernel. */
export class NativeParam implements HyperParam {
  private readonly given: Readonly<Record<string, string>>;
  private readonly env: Readonly<Record<string, string | undefined>>;

  /** `given` wins over the environment, which is asked when a parameter is: copying it takes longer than a boot needs for all of them. */
  constructor(given: Readonly<Record<string, string>>, env: Readonly<Record<string, string | undefined>>) {
    this.given = given;
    this.env = env;
  }

  rumpuser_getparam(name: string): string | null {
    if (name === RUMPUSER_PARAM_NCPU) return "1";
    if (Object.hasOwn(this.given, name)) return this.given[name] ?? null;
    const value = this.env[name];
    if (value !== undefined) return value;
    return name === RUMPUSER_PARAM_HOSTNAME ? `rump-${String(process.pid).padStart(5, "0")}.host` : null;
  }
}
