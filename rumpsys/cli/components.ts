/** Names of components for `rump server -l`, and NetBSD's names for the same. */
import type { RumpComponent } from "../../kernel-components/kern/component.ts";
import { inet_components } from "../component_set.ts";
import { UsageError } from "./tool.ts";

/** librump* names and what they are here. "" means: part of the base, nothing to add. */
const NETBSD_NAMES: ReadonlyMap<string, string> = new Map([
  ["rumpnet", "socket"],
  ["rumpnet_net", "net"],
  ["rumpnet_netinet", "inet"],
  ["rumpnet_local", "local"],
  ["rumpnet_shmif", "shmif"],
  ["rumpnet_virtif", "virtif"],
  ["rumpdev", ""],
  ["rumpvfs", ""],
]);

/** The components that -l options name; all of them when there is none. Throws UsageError. */
export function components_named(names: readonly string[]): RumpComponent[] {
  const all = inet_components();
  if (names.length === 0) return all;
  const list: RumpComponent[] = [];
  for (const name of names) {
    const ours = NETBSD_NAMES.get(name) ?? name;
    if (ours === "") continue;
    const found = all.find((c) => c.name === ours);
    if (found === undefined)
      throw new UsageError(`-l ${name}: no such component; there are ${all.map((c) => c.name).join(", ")}`);
    if (!list.includes(found)) list.push(found);
  }
  return list;
}
