// From a node of the tree to what one row of the page shows.
import { overlaps, parse } from './cidr.js';
import { addresses, percent, plural, prefixLength } from './format.js';

// CROWDED is the share from which a pool is marked.
const CROWDED = 0.8;

// DEEPEST is the level after which rows are no longer indented further.
const DEEPEST = 8;

export function buildRow(node, open, dim) {
  const { pool, utilization } = node;
  return {
    id: pool.id, name: pool.name, cidr: pool.cidr, node, dim,
    level: node.depth + 1,
    indent: { '--depth': Math.min(node.depth, DEEPEST) },
    // An attribute of null is left out: a leaf has no state to announce.
    expanded: node.hasChildren ? String(open) : null,
    twist: node.hasChildren ? (open ? 'open' : 'closed') : 'leaf',
    twistLabel: (open ? 'Collapse ' : 'Expand ') + pool.name,
    crowded: utilization.used_ratio >= CROWDED,
    used: percent(utilization.used_ratio),
    largest: prefixLength(utilization.largest_free_prefix_length),
    barLabel: percent(utilization.used_ratio) + ' used, ' + plural(utilization.children, 'child pool') + ', ' + plural(utilization.allocations, 'allocation'),
  };
}

// matches says whether a pool answers a search: by words, or by sharing addresses with what was typed.
export function matches(pool, text, range) {
  if (range) return overlaps(range, parse(pool.cidr));
  const words = [pool.id, pool.name, pool.cidr, pool.owner, pool.account, pool.region, pool.environment, pool.description];
  for (const [key, value] of Object.entries(pool.labels)) words.push(key + '=' + value);
  return words.some((word) => word.toLowerCase().includes(text));
}

// summarize counts over the roots, so that nothing is counted twice.
export function summarize(nodes) {
  const roots = nodes.filter((node) => node.depth === 0 && node.pool.family === 'ipv4');
  const total = sum(roots, 'total');
  const used = sum(roots, 'used');
  const free = roots.map((node) => node.utilization.largest_free_prefix_length).filter((length) => length !== undefined);
  const crowded = nodes.filter((node) => node.utilization.used_ratio >= CROWDED).length;
  return [
    { name: 'Managed IPv4', value: addresses(total.toString()), mono: false },
    { name: 'IPv4 taken', value: total > 0n ? percent(Number((used * 1000000n) / total) / 1000000) : 'none', mono: false },
    { name: 'Largest free IPv4', value: free.length ? '/' + Math.min(...free) : 'none', mono: free.length > 0 },
    { name: 'Pools above 80 %', value: String(crowded), mono: false },
  ];
}

function sum(nodes, field) {
  return nodes.reduce((total, node) => total + BigInt(node.utilization[field]), 0n);
}
