// What a test needs from the machine. A missing thing skips the test and says why; with CI=true a skipped test fails the run.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The path of the addon that hypercall/native loads. */
const NATIVE_ADDON = "hypercall/native/addon/build/Release/rumpuser.node";

/** Skip unless the effective user is root. */
export function needRoot(test: Mocha.Context): void {
  if (process.geteuid?.() !== 0) skip(test, "it needs root");
}

/** Skip unless `program` is on the PATH; `debianPackage` is the cure that the message names. */
export function needProgram(test: Mocha.Context, program: string, debianPackage: string = program): void {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  if (!folders.some((folder) => existsSync(join(folder, program)))) {
    skip(test, `it needs the program ${program} (apt-get install ${debianPackage})`);
  }
}

/** Skip unless the native host's addon has been built. */
export function needNative(test: Mocha.Context): void {
  if (!existsSync(NATIVE_ADDON)) skip(test, "it needs the native host (npm run build says what is missing)");
}

/** Skip unless a tap interface can be made: /dev/net/tun and the right to use it. */
export function needTap(test: Mocha.Context): void {
  needRoot(test);
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    skip(test, "it needs /dev/net/tun (modprobe tun; in a container: --device /dev/net/tun --cap-add NET_ADMIN)");
  }
}

/** Skip unless network namespaces can be made. */
export function needNetns(test: Mocha.Context): void {
  needRoot(test);
  needProgram(test, "ip", "iproute2");
  if (spawnSync("unshare", ["--net", "--mount", "true"]).status !== 0) {
    skip(test, "it needs network namespaces (in a container: --cap-add SYS_ADMIN --cap-add NET_ADMIN)");
  }
}

function skip(test: Mocha.Context, why: string): never {
  console.log(`      skipped: ${why}`);
  return test.skip();
}
