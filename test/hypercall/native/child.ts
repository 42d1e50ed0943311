// A second process with a native host in it, driven line by line.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

/** URL of the module that makes native hosts, as built. */
const HOST: string = new URL("../../../hypercall/native/native_host.js", import.meta.url).href;

/** A process that runs `code` as a module, in which `host` is a fresh NativeHost and `say(text)` answers. */
export class HostChild {
  readonly process: ChildProcessWithoutNullStreams;
  private text = "";
  private heard: () => void = () => {};

  constructor(code: string, env: NodeJS.ProcessEnv = {}) {
    const script = `
      import { nativeHost } from ${JSON.stringify(HOST)};
      const host = nativeHost();
      const say = (text) => process.stdout.write(text + "\\n");
      ${code}`;
    const args = ["--input-type=module", "-e", script];
    this.process = spawn(process.execPath, args, { env: { ...process.env, ...env } });
    this.process.stderr.pipe(process.stderr);
    this.process.stdout.on("data", (bytes: Buffer) => {
      this.text += bytes.toString();
      this.heard();
    });
    this.process.on("close", () => this.heard());
  }

  /** Wait until it has said a line that contains `word`; answers the line. */
  async hears(word: string): Promise<string> {
    for (;;) {
      const line = this.text.split("\n").find((l) => l.includes(word));
      if (line !== undefined) return line;
      if (this.process.exitCode !== null) throw new Error(`the child ended without saying ${word}: ${this.text}`);
      await new Promise<void>((next) => (this.heard = next));
    }
  }

  /** Kill it so that it can clean nothing up. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((exit) => this.process.once("exit", exit));
    this.process.kill("SIGKILL");
    await gone;
  }
}
