// kill -9 of every process of a testbed at random instants: the others carry on, a killed node rejoins, nothing leaks.
// RUMPKIT_FAULTS says how many kills (20 by default, 200 in the full check); RUMPKIT_SEED repeats a run.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Testbed, startTestbed } from "../../rumpsys/testbed/testbed.ts";
import { ROOT } from "../repo/source_tree.ts";
import { runSeed } from "../support/mocha_hooks.ts";
import { needNative } from "../support/need.ts";
import { open_files, running, stop_clean } from "../rumpsys/testbed/testbed_cases.ts";

const NODES = ["a", "r", "b"] as const;
type Name = (typeof NODES)[number];

const KILLS = faults(process.env["RUMPKIT_FAULTS"] ?? "20");
/** One kill in so many hits a main process, with all its nodes left to themselves. */
const MAIN_EVERY = 10;
const MS_PER_KILL = 4000;
/** A killed node may take so long until traffic passes it again. */
const REJOIN_MS = 5000;
/** The nodes of a killed main process may take so long to end. */
const ORPHAN_MS = 3000;

function faults(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1)
    throw new Error(`RUMPKIT_FAULTS is ${JSON.stringify(text)}: the number of kills, 1 or more`);
  return n;
}

/** Numbers that follow from a seed (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let s = seed | 0;
  return (below) => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Files that a testbed could have left. */
function leftovers(): string[] {
  return [tmpdir(), "/dev/shm"].flatMap((folder) =>
    readdirSync(folder).filter((name) => /^rumpkit-[0-9a-f]{8}-/.test(name)),
  );
}

/** Names of kick sockets in the network's abstract name space. */
function kick_names(): string[] {
  return readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .filter((line) => line.includes("@rumpkit-bus:"));
}

describe("a testbed whose processes are killed", function () {
  this.timeout(20_000 + KILLS * MS_PER_KILL);

  before(function () {
    needNative(this);
  });

  it(`${KILLS} times: the others carry on, the killed one rejoins, nothing leaks`, async () => {
    const random = numbers(runSeed);
    await (await startTestbed({ nodes: { a: {} }, links: [] })).stop(); // what Node itself opens once is open now
    const files = open_files();
    const names = kick_names().length;
    const mains = Math.floor(KILLS / MAIN_EVERY);
    const tb = await startTestbed({ nodes: { a: {}, r: { forward: true }, b: {} }, links: ["a -- r", "r -- b"] });
    try {
      await tb.node("b").echo_server(7);
      for (let n = 0; n < KILLS - mains; n++) await one_kill(tb, NODES[random(3)] as Name, random);
    } catch (error) {
      await tb.stop();
      throw error;
    }
    await stop_clean(tb);
    expect(open_files(), "descriptors").to.equal(files);
    expect(kick_names().length, "sockets").to.be.at.most(names);
    for (let n = 0; n < mains; n++) await kill_main(random);
    expect(leftovers()).to.deep.equal([]);
  });
});

/** Kills one node under load, sometimes once more while it boots, and waits until everybody reaches everybody again. */
async function one_kill(tb: Testbed<Name>, victim: Name, random: (below: number) => number): Promise<void> {
  const load = tb.echo("a", "b", { duration_ms: 300, window: 32, timeout_ms: 50 }).catch((error: Error) => error);
  await sleep(random(30));
  const pid = tb.pid(victim);
  await tb.kill(victim);
  expect(running(pid)).to.equal(false);
  await others_carry_on(tb, victim);
  if (random(4) === 0) {
    const boot = tb.restart(victim).catch((error: Error) => error);
    await sleep(random(300));
    await tb.kill(victim);
    await boot;
  }
  await tb.restart(victim);
  if (victim === "b") await tb.node("b").echo_server(7);
  await rejoined(tb, "a", "b");
  await rejoined(tb, "b", "a");
  await load;
}

async function others_carry_on(tb: Testbed<Name>, victim: Name): Promise<void> {
  for (const name of NODES)
    if (name !== victim) expect(tb.alive(name), `${name} after ${victim} was killed`).to.equal(true);
  if (victim === "r") {
    await Promise.all([tb.node("a").stats(), tb.node("b").stats()]);
    return;
  }
  const ping = await tb.ping("r", victim === "a" ? "b" : "a", { timeout_ms: REJOIN_MS });
  expect(ping.received, `r to the other, after ${victim} was killed`).to.equal(1);
}

async function rejoined(tb: Testbed<Name>, from: Name, to: Name): Promise<void> {
  const until = performance.now() + REJOIN_MS;
  let last = "";
  while (performance.now() < until) {
    const ping = await tb.ping(from, to, { timeout_ms: 250 });
    if (ping.received === 1) return;
    last = ping.errors.join(", ");
    await sleep(10);
  }
  const state = NODES.map(async (name) => {
    const { arp, interfaces, stats } = tb.node(name);
    return [name, await arp(), await interfaces(), await stats()].map((part) => JSON.stringify(part)).join("\n  ");
  });
  expect.fail(
    `${from} does not reach ${to} again after ${REJOIN_MS} ms (${last})\n${(await Promise.all(state)).join("\n")}`,
  );
}

/** SIGKILL of the main process of `npm start`, at any instant: its nodes end by themselves. */
async function kill_main(random: (below: number) => number): Promise<void> {
  const main = spawn(process.execPath, [join(ROOT, "build/rumpsys/cli/main_job.js")], { stdio: "ignore" });
  const gone = new Promise((resolve) => main.once("exit", resolve));
  await sleep(100 + random(1500));
  const nodes = children_of(main.pid ?? 0);
  main.kill("SIGKILL");
  await gone;
  const until = performance.now() + ORPHAN_MS;
  while (nodes.some(running) && performance.now() < until) await sleep(20);
  expect(nodes.filter(running), "nodes of a killed main process").to.deep.equal([]);
}

function children_of(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return Number(readFileSync(`/proc/${child}/stat`, "utf8").split(") ")[1]?.split(" ")[1]) === pid;
      } catch {
        return false; // it has just ended
      }
    });
}
