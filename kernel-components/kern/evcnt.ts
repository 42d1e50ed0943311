// Event counters (evcnt(9)): named blocks of counters, so that everything that counts can be listed.

/** A block of counters. */
export interface EvcntGroup {
  /** What counts, such as "ip" or "virt0". */
  readonly ev_group: string;
  /** Names, in the order of the block. */
  readonly ev_names: readonly string[];
  /** The counters. */
  readonly ev_block: Float64Array;
}

/** The counters of one kernel. */
export class Evcnts {
  private readonly groups: EvcntGroup[] = [];

  /** Add a block. */
  attach(group: EvcntGroup): void {
    this.groups.push(group);
  }

  /** Remove a block. False: it is not here. */
  detach(block: Float64Array): boolean {
    const i = this.groups.findIndex((g) => g.ev_block === block);
    if (i === -1) return false;
    this.groups.splice(i, 1);
    return true;
  }

  /** All blocks in the order of their attachment. */
  list(): readonly EvcntGroup[] {
    return this.groups;
  }

  /** The blocks of a group; several may share a name. */
  find(group: string): readonly EvcntGroup[] {
    return this.groups.filter((g) => g.ev_group === group);
  }

  /** The value of one counter, or null; for tests and tools. */
  value(group: string, name: string): number | null {
    for (const g of this.groups) {
      const i = g.ev_group === group ? g.ev_names.indexOf(name) : -1;
      if (i !== -1) return g.ev_block[i];
    }
    return null;
  }
}

/** Whoever has counters: the kernel. */
export interface HasEvcnts {
  /** The counters. */
  readonly evcnts: Evcnts;
  /** Ends the kernel. */
  panic(msg: string): never;
}

/** Register `block` under `group`; `names[i]` names `block[i]`. */
export function evcnt_attach(k: HasEvcnts, group: string, names: readonly string[], block: Float64Array): void {
  if (names.length !== block.length)
    k.panic(`evcnt_attach: ${group} has ${block.length} counters and ${names.length} names`);
  k.evcnts.attach({ ev_group: group, ev_names: names, ev_block: block });
}

/** Remove a block that was registered. */
export function evcnt_detach(k: HasEvcnts, block: Float64Array): void {
  if (!k.evcnts.detach(block)) k.panic("evcnt_detach: not attached");
}
