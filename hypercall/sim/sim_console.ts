// The console of a simulated host: text that a test can read.
import type { HyperConsole } from "../api/console.ts";

/** Most characters kept of each text; the oldest go. */
export const SIM_CONSOLE_MAX = 262_144;

/** Captured output. */
export class SimConsole implements HyperConsole {
  /** What the kernel has printed, the last SIM_CONSOLE_MAX characters. */
  text = "";
  /** What it has printed for debugging. */
  debug = "";
  /** Called with every finished line of `text`, or null. */
  on_line: ((line: string) => void) | null = null;
  private line = "";

  /** See HyperConsole. */
  rumpuser_putchar(c: number): void {
    const char = String.fromCharCode(c & 0xff);
    this.text = bounded(this.text + char);
    if (this.on_line === null) return;
    if (char !== "\n") this.line = bounded(this.line + char);
    else {
      this.on_line(this.line);
      this.line = "";
    }
  }

  /** See HyperConsole. */
  rumpuser_dprintf(text: string): void {
    this.debug = bounded(this.debug + text);
  }
}

/** Cut in the rare case, and then by half, so that a long run does not copy for every character. */
function bounded(text: string): string {
  return text.length <= SIM_CONSOLE_MAX ? text : text.slice(-(SIM_CONSOLE_MAX >> 1));
}
