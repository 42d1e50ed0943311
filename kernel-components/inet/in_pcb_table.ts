/*
 * The tables that find a control block: all of a protocol's, by local port, and by the whole tuple of a connection. The connection table is open addressing over an
 * Int32Array with the 32-bit keyed hash inline, so a lookup touches one cache line and then the block; the hash is the address family's (InetAf.inp_hash).
 */
import type { Inpcb } from "./in_pcb.ts";

/** Slots of the connection table at the start; it doubles when half full. */
const INPCBHASHSIZE = 64;

/** The control blocks of one protocol. */
export class InpcbTable {
  /** Every control block, in no order. */
  readonly inpt_all: Inpcb[] = [];
  /** First block of each local port; the rest follow by inp_port_next. */
  readonly inpt_porthash: Map<number, Inpcb> = new Map();
  /** Pairs of (hash, 1 + index in conn_inp); index 0 is an empty slot. */
  private slots: Int32Array = new Int32Array(2 * INPCBHASHSIZE);
  private mask: number = INPCBHASHSIZE - 1;
  /** Blocks in the connection table. */
  nconn = 0;
  /** The blocks that the slots mean. */
  private readonly conn_inp: (Inpcb | null)[] = [null];
  private readonly conn_free: number[] = [];

  /** Adds a new block. */
  insert(inp: Inpcb): void {
    inp.inp_index = this.inpt_all.length;
    this.inpt_all.push(inp);
  }

  /** Takes a block out of the list of all. Preconditions: it is in neither the port nor the connection table. */
  remove(inp: Inpcb): void {
    const last = this.inpt_all.pop();
    if (last !== undefined && last !== inp) {
      this.inpt_all[inp.inp_index] = last;
      last.inp_index = inp.inp_index;
    }
    inp.inp_index = -1;
  }

  /** Enters a block under its inp_lport. */
  port_insert(inp: Inpcb): void {
    inp.inp_port_next = this.inpt_porthash.get(inp.inp_lport) ?? null;
    this.inpt_porthash.set(inp.inp_lport, inp);
  }

  /** Takes a block away from its inp_lport. */
  port_remove(inp: Inpcb): void {
    const first = this.inpt_porthash.get(inp.inp_lport);
    if (first === inp) {
      if (inp.inp_port_next === null) this.inpt_porthash.delete(inp.inp_lport);
      else this.inpt_porthash.set(inp.inp_lport, inp.inp_port_next);
    } else {
      for (let p = first ?? null; p !== null; p = p.inp_port_next) {
        if (p.inp_port_next === inp) p.inp_port_next = inp.inp_port_next;
      }
    }
    inp.inp_port_next = null;
  }

  /** First block on a local port. */
  // hot
  port_first(lport: number): Inpcb | null {
    const inp = this.inpt_porthash.get(lport);
    return inp === undefined ? null : inp;
  }

  /** Enters a block under its inp_hash. */
  conn_insert(inp: Inpcb): void {
    if (this.nconn * 2 >= this.mask) this.conn_grow();
    const free = this.conn_free.pop();
    const id = free ?? this.conn_inp.length;
    this.conn_inp[id] = inp;
    this.slot_put(inp.inp_hash, id);
    this.nconn++;
    inp.inp_inconn = true;
  }

  /** Takes a block away from its inp_hash. */
  conn_remove(inp: Inpcb): void {
    const slots = this.slots;
    let i = inp.inp_hash & this.mask;
    while (this.conn_inp[slots[2 * i + 1]] !== inp) i = (i + 1) & this.mask;
    const id = slots[2 * i + 1];
    this.conn_inp[id] = null;
    this.conn_free.push(id);
    this.slot_delete(i);
    this.nconn--;
    inp.inp_inconn = false;
  }

  /** The slot of the first candidate for `hash`, or -1. Walk on with conn_next; conn_at gives the block, whose addresses the caller compares. */
  // hot
  conn_find(hash: number): number {
    return this.conn_scan(hash, hash & this.mask);
  }

  /** The next candidate after `slot`, or -1. */
  // hot
  conn_next(hash: number, slot: number): number {
    return this.conn_scan(hash, (slot + 1) & this.mask);
  }

  /** The block of a slot that conn_find or conn_next gave. */
  // hot
  conn_at(slot: number): Inpcb {
    return this.conn_inp[this.slots[2 * slot + 1]]!;
  }

  // hot
  private conn_scan(hash: number, i: number): number {
    const slots = this.slots;
    while (slots[2 * i + 1] !== 0) {
      if (slots[2 * i] === hash) return i;
      i = (i + 1) & this.mask;
    }
    return -1;
  }

  private slot_put(hash: number, id: number): void {
    let i = hash & this.mask;
    while (this.slots[2 * i + 1] !== 0) i = (i + 1) & this.mask;
    this.slots[2 * i] = hash;
    this.slots[2 * i + 1] = id;
  }

  /** Empties a slot and moves later members of its run back, so that no marker of a deleted entry is needed. */
  private slot_delete(hole: number): void {
    const slots = this.slots;
    let i = hole;
    for (;;) {
      i = (i + 1) & this.mask;
      if (slots[2 * i + 1] === 0) break;
      const home = slots[2 * i] & this.mask;
      if (((i - home) & this.mask) < ((i - hole) & this.mask)) continue;
      slots[2 * hole] = slots[2 * i];
      slots[2 * hole + 1] = slots[2 * i + 1];
      hole = i;
    }
    slots[2 * hole] = 0;
    slots[2 * hole + 1] = 0;
  }

  private conn_grow(): void {
    const old = this.slots;
    this.mask = this.mask * 2 + 1;
    this.slots = new Int32Array(2 * (this.mask + 1));
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) this.slot_put(old[i], old[i + 1]);
  }
}
