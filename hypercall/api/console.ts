// Where the kernel prints. Output is bytes in the order of the calls; the host may hold them back until the end of a line.

/** The console. */
export interface HyperConsole {
  /** One byte of the kernel's console output (0..255). Does not block and cannot fail. Source: rumpuser_putchar(3). */
  rumpuser_putchar(c: number): void;

  /**
   * Debug output, finished by the caller (no format, unlike rumpuser's, because template literals do that here). Apart from the console so
   * that it appears even when that is captured. Does not block and cannot fail. Source: rumpuser_dprintf(3).
   */
  rumpuser_dprintf(text: string): void;
}
