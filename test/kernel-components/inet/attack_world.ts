// A kernel under attack by a station, and a friend: another kernel whose pings and datagrams must get through all the while.
import { expect } from "chai";
import { SOCK_RAW } from "../../../kernel-components/socket/socket_abi.ts";
import type { KernelOptions } from "../../../kernel-components/kern/kernel.ts";
import { bytes, icmp_bytes, InetWorld, ip4, MS, type Node, S, type Station } from "./inet_world.ts";

/** Port of the echo service. */
const ECHO = 1000;

/** The scene. */
export class Attack {
  readonly w: InetWorld = new InetWorld();
  /** Who is attacked: 10.0.0.1. */
  readonly k: Node;
  /** Who is honest: 10.0.0.3. */
  readonly friend: Node;
  /** Who attacks: 10.0.0.2. */
  readonly st: Station;
  readonly k_addr: number = ip4("10.0.0.1");
  private readonly echo: number;
  private readonly ask: number;
  private readonly ping: number;
  private x = 0x5eed;

  constructor(options: KernelOptions = {}) {
    this.st = this.w.station("w", 2, "10.0.0.2");
    this.k = this.w.node("k", options).plug(0, "w", "10.0.0.1/24");
    this.friend = this.w.node("friend").plug(0, "w", "10.0.0.3/24");
    this.echo = this.k.udp(ECHO);
    this.ask = this.friend.udp(2000);
    this.ping = this.friend.socket(SOCK_RAW, 1);
    this.w.run(S);
    this.st.peer = this.k.ifp("virt0").if_lladdr.slice();
    this.served();
  }

  /** A number, the same in every run (xorshift). */
  next(): number {
    this.x ^= this.x << 13;
    this.x ^= this.x >>> 17;
    this.x ^= this.x << 5;
    return this.x >>> 0;
  }

  /** Attacks `rounds` times, a millisecond and a service of the friend after each. */
  during(rounds: number, attack: (round: number) => void): void {
    for (let round = 0; round < rounds; round++) {
      attack(round);
      this.w.run(MS);
      this.st.frames.length = 0;
      this.served();
    }
  }

  /** The friend is answered, by ping and by the echo service. */
  served(): void {
    while (typeof this.friend.recv(this.ping) !== "number") continue;
    this.friend.sendto(this.ping, icmp_bytes(8, 0, 0x77_0001, bytes(32)), "10.0.0.1", 0);
    this.friend.sendto(this.ask, bytes(40, 3), "10.0.0.1", ECHO);
    this.w.run(5 * MS);
    for (let d = this.k.recv(this.echo); typeof d !== "number"; d = this.k.recv(this.echo))
      if (d.port === 2000) this.k.sendto(this.echo, d.data, "10.0.0.3", d.port);
    this.w.run(5 * MS);
    expect(this.friend.got(this.ask).data, "echo of UDP").to.deep.equal(bytes(40, 3));
    let answers = 0;
    for (let d = this.friend.recv(this.ping); typeof d !== "number"; d = this.friend.recv(this.ping))
      if (d.data[20] === 0) answers++;
    expect(answers, "answers to a ping").to.equal(1);
  }

  /** After `ns` of silence all is well. */
  alive(ns: number): void {
    this.w.run(ns);
    this.served();
  }

  /** Ends everything; nothing may be left. */
  end(): void {
    this.k.close(this.echo);
    this.friend.close(this.ask);
    this.friend.close(this.ping);
    this.w.end();
  }
}
