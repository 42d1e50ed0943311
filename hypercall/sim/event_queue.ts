// What will happen in a world, in order of time; equal times in the order they were scheduled. A heap of small integers over parallel typed
// arrays: no object for an event, and any event can be moved or taken back.

/** Something that events happen to. */
export interface SimTarget {
  /** Name for logs and error messages. */
  readonly sim_name: string;
  /** An event is due. `arg` is what was given when it was scheduled. */
  sim_fire(arg: number): void;
}

/** Entries of the first arrays; they double. */
const FIRST = 256;
/** Children of a heap node: four, which halves the depth and keeps siblings in a cache line. */
const ARITY = 4;

/** Nobody: what a free entry points to. */
const NOBODY: SimTarget = {
  sim_name: "nobody",
  sim_fire(): void {},
};

/** The queue. */
export class EventQueue {
  /** Pending events. */
  size = 0;
  /** Due time of each event. */
  times: Float64Array = new Float64Array(FIRST);
  /** Argument of each event. */
  args: Int32Array = new Int32Array(FIRST);
  /** Target of each event. */
  readonly targets: SimTarget[] = [];

  private seqs: Float64Array = new Float64Array(FIRST);
  private heap: Int32Array = new Int32Array(FIRST);
  private places: Int32Array = new Int32Array(FIRST);
  private readonly free: number[] = [];
  private seq = 0;

  /** Schedule an event. @returns its id, valid until it is popped or removed. hot */
  add(time: number, target: SimTarget, arg: number): number {
    let id = this.targets.length;
    if (this.free.length > 0) {
      id = this.free.pop() as number;
      this.targets[id] = target;
    } else {
      if (id === this.times.length) this.grow();
      this.targets.push(target);
    }
    this.times[id] = time;
    this.seqs[id] = this.seq++;
    this.args[id] = arg;
    this.heap[this.size] = id;
    this.places[id] = this.size;
    this.up(this.size++);
    return id;
  }

  /** Give a pending event another time; among equal times it is now the last. hot */
  move(id: number, time: number): void {
    this.times[id] = time;
    this.seqs[id] = this.seq++;
    this.up(this.places[id]);
    this.down(this.places[id]);
  }

  /** Take back a pending event. */
  remove(id: number): void {
    const place = this.places[id];
    const last = this.heap[--this.size];
    if (last !== id) {
      this.heap[place] = last;
      this.places[last] = place;
      this.up(place);
      this.down(this.places[last]);
    }
    this.targets[id] = NOBODY;
    this.free.push(id);
  }

  /** Time of the first event, or Infinity. hot */
  next_time(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : this.times[this.heap[0]];
  }

  /** Id of the first event, which stays; -1 when there is none. hot */
  first(): number {
    return this.size === 0 ? -1 : this.heap[0];
  }

  private before(a: number, b: number): boolean {
    const difference = this.times[a] - this.times[b];
    return difference < 0 || (difference === 0 && this.seqs[a] < this.seqs[b]);
  }

  private up(start: number): void {
    const heap = this.heap;
    const id = heap[start];
    let place = start;
    while (place > 0) {
      const parent = ((place - 1) / ARITY) | 0;
      const above = heap[parent];
      if (!this.before(id, above)) break;
      heap[place] = above;
      this.places[above] = place;
      place = parent;
    }
    heap[place] = id;
    this.places[id] = place;
  }

  private down(start: number): void {
    const heap = this.heap;
    const id = heap[start];
    let place = start;
    for (;;) {
      const first = place * ARITY + 1;
      if (first >= this.size) break;
      const end = Math.min(first + ARITY, this.size);
      let least = first;
      for (let child = first + 1; child < end; child++) if (this.before(heap[child], heap[least])) least = child;
      const below = heap[least];
      if (!this.before(below, id)) break;
      heap[place] = below;
      this.places[below] = place;
      place = least;
    }
    heap[place] = id;
    this.places[id] = place;
  }

  private grow(): void {
    const n = this.times.length * 2;
    const times = new Float64Array(n);
    const seqs = new Float64Array(n);
    const args = new Int32Array(n);
    const heap = new Int32Array(n);
    const places = new Int32Array(n);
    times.set(this.times);
    seqs.set(this.seqs);
    args.set(this.args);
    heap.set(this.heap);
    places.set(this.places);
    this.times = times;
    this.seqs = seqs;
    this.args = args;
    this.heap = heap;
    this.places = places;
  }
}
