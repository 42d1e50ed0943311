/**
 * What the main process and a node's process say to each other over Node's channel.
 */
import type { NodeOps } from "./node_ops.ts";
import type { TestbedPlan } from "./plan.ts";

/** Descriptor of the first bus of a node; the others follow in the order of its interfaces. */
export const FIRST_BUS_FD = 4;

/** To the node: first what it is, then what it is asked. */
export type ToNode =
  | {
      readonly kind: "boot";
      readonly plan: TestbedPlan;
      readonly node: string;
      readonly cpus: readonly number[] | null;
    }
  | { readonly kind: "call"; readonly id: number; readonly op: keyof NodeOps; readonly args: readonly unknown[] }
  | { readonly kind: "place"; readonly id: number; readonly cpus: readonly number[] }
  | { readonly kind: "exit" };

/** From the node. */
export type FromNode =
  | { readonly kind: "booted" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "console"; readonly text: string }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number; readonly message: string; readonly code: string };
