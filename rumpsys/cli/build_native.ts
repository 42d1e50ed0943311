/**
 * rump build-native: the native host's addon, from the C++ sources in the package. Nothing is built when the package is installed, since
 * simulations need no addon, and npm runs no install scripts unasked.
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostToolContext } from "./dumpbus.ts";
import { addonPlaces, loadAddon, NativeHostError } from "../../hypercall/native/addon.ts";
import { EXIT_ENVIRONMENT, EXIT_OK, ToolError, UsageError } from "./tool.ts";

/** This file is build/rumpsys/cli/build_native.js in the package. */
const BOOTSTRAP = join(dirname(fileURLToPath(import.meta.url)), "../../../rumpsys/bootstrap/run.mjs");

/** The tool. */
export async function build_native(cx: HostToolContext, args: readonly string[]): Promise<number> {
  if (args.length > 0) throw new UsageError(`it takes nothing: ${args.join(" ")}`);
  const run = spawnSync(process.execPath, [BOOTSTRAP, "native"], { stdio: ["ignore", "ignore", "inherit"] });
  if (run.status !== 0) return EXIT_ENVIRONMENT;
  try {
    loadAddon();
  } catch (error) {
    if (!(error instanceof NativeHostError)) throw error;
    throw new ToolError(error.message, EXIT_ENVIRONMENT);
  }
  const place = addonPlaces(process.env).at(-1) ?? "";
  cx.out(cx.json ? JSON.stringify({ addon: place }) : `ready: ${place}`);
  return EXIT_OK;
}
