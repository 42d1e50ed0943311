/** Options as getopt(3) reads them: letters that may be joined, a value joined or as the next argument, "--" ends them. */
import { UsageError } from "./tool.ts";

/** What the arguments said. */
export class Options {
  private readonly given: Map<string, string[]> = new Map<string, string[]>();
  /** What follows the options. */
  readonly operands: string[] = [];

  /** Notes an option. */
  add(letter: string, value: string): void {
    const list = this.given.get(letter) ?? [];
    list.push(value);
    this.given.set(letter, list);
  }

  /** Whether an option was given. */
  has(letter: string): boolean {
    return this.given.has(letter);
  }

  /** The last value of an option, or undefined. */
  value(letter: string): string | undefined {
    return this.given.get(letter)?.at(-1);
  }

  /** A number option, with its bounds; `fallback` when it was not given. Throws UsageError. */
  number(letter: string, what: string, fallback: number, min: number, max: number): number {
    const text = this.value(letter);
    return text === undefined ? fallback : parse_number(text, what, min, max);
  }
}

/** A whole number in decimal or hexadecimal, within bounds. Throws UsageError that names it. */
export function parse_number(text: string, what: string, min: number, max: number): number {
  const v = /^(\d{1,15}|0x[0-9a-fA-F]{1,13})$/.test(text) ? Number(text) : Number.NaN;
  if (!(v >= min && v <= max))
    throw new UsageError(`${what} must be a number from ${min} to ${max}, not ${JSON.stringify(text)}`);
  return v;
}

/** Seconds, which may have a fraction. Throws UsageError. */
export function parse_seconds(text: string, what: string, min: number, max: number): number {
  const v = /^\d{0,9}(\.\d{0,9})?$/.test(text) && /\d/.test(text) ? Number(text) : Number.NaN;
  if (!(v >= min && v <= max))
    throw new UsageError(`${what} must be from ${min} to ${max} seconds, not ${JSON.stringify(text)}`);
  return v;
}

/**
 * Reads options. `spec` lists the letters; a colon after one means that it takes a value. With `anywhere` options may stand between the
 * operands too, else the first operand ends them. Throws UsageError.
 */
export function getopt(args: readonly string[], spec: string, anywhere: boolean = false): Options {
  const options = new Options();
  let i = 0;
  for (; i < args.length; i++) {
    const word = args[i] as string;
    if (word === "--") {
      i++;
      break;
    }
    if (word.length < 2 || word[0] !== "-") {
      if (!anywhere) break;
      options.operands.push(word);
      continue;
    }
    i += take_word(options, word, args[i + 1], spec);
  }
  options.operands.push(...args.slice(i));
  return options;
}

/** Reads the letters of one argument; 1 when the next argument was its value. */
function take_word(options: Options, word: string, next: string | undefined, spec: string): number {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] as string;
    const found = letter === ":" ? -1 : spec.indexOf(letter);
    if (found === -1) throw new UsageError(`unknown option -${letter}`);
    if (spec[found + 1] !== ":") {
      options.add(letter, "");
      continue;
    }
    const joined = word.slice(at + 1);
    if (joined !== "") {
      options.add(letter, joined);
      return 0;
    }
    if (next === undefined) throw new UsageError(`option -${letter} needs a value`);
    options.add(letter, next);
    return 1;
  }
  return 0;
}
