// True figures of a tree of pools: what is really in use, rolled up from the leaves, apart from what is only delegated to children.
import { parse } from './cidr.js';

// figures returns for each node, by the id of its pool, {used, delegated, quarantined, total, ratio}: addresses as BigInt. In
// quarantine is apart from in use: nobody uses it, and nobody gets it. Nodes come as the tree has them, children behind parents.
export function figures(nodes) {
  const of = new Map();
  const above = [];
  const all = nodes.map(({ pool, depth, utilization }) => {
    const { bits, length } = parse(pool.cidr);
    const figure = { size: 1n << BigInt(bits - length), own: BigInt(utilization.used) - BigInt(utilization.quarantined), quarantined: BigInt(utilization.quarantined), delegated: 0n, below: 0n, total: BigInt(utilization.total), parent: depth > 0 ? above[depth - 1] : null };
    above[depth] = figure;
    if (figure.parent) figure.parent.delegated += figure.size;
    of.set(pool.id, figure);
    return figure;
  });
  for (const figure of all.reverse()) {
    figure.used = figure.own - figure.delegated + figure.below;
    figure.ratio = figure.total > 0n ? Number((figure.used * 1000000n) / figure.total) / 1000000 : 0;
    if (!figure.parent) continue;
    figure.parent.below += figure.used;
    figure.parent.quarantined += figure.quarantined;
  }
  return of;
}
