// From a node of the tree to what one row of the page shows.
import { overlaps, parse } from './cidr.js';
import { addresses, percent, plural, prefixLength } from './format.js';

// CROWDED is the share from which a pool is marked.
const CROWDED = 0.8;

// DEEPEST is the level after which rows are no longer indented further.
const DEEPEST = 8;

// buildRow shapes a node. Its figures are what is really in use, see figures.js.
export function buildRow(node, open, dim) {
  const { pool, utilization, figure } = node;
  return {
    id: pool.id, name: pool.name, cidr: pool.cidr, node, dim,
    level: node.depth + 1,
    indent: { '--depth': Math.min(node.depth, DEEPEST) },
    // An attribute of null is left out: a leaf has no state to announce.
    expanded: node.hasChildren ? String(open) : null,
    twist: node.hasChildren ? (open ? 'open' : 'closed') : 'leaf',
    twistLabel: (open ? 'Collapse ' : 'Expand ') + pool.name,
    href: '/pools?' + new URLSearchParams({ scope: pool.scope, pool: pool.id }),
    crowded: figure.ratio >= CROWDED,
    used: percent(figure.ratio),
    usedTitle: addresses(figure.used.toString()) + ' of ' + addresses(figure.total.toString()) + ' addresses in use, ' + addresses(figure.delegated.toString()) + ' delegated to child pools',
    largest: prefixLength(utilization.largest_free_prefix_length),
    barLabel: percent(figure.ratio) + ' in use, ' + percent(share(figure.delegated, figure.total)) + ' delegated, ' + plural(utilization.children, 'child pool') + ', ' + plural(utilization.allocations, 'allocation'),
  };
}

export function share(part, total) { return total > 0n ? Number((part * 1000000n) / total) / 1000000 : 0; }

// matches says whether a pool answers a search: by having every word somewhere, or by sharing addresses with what was typed.
function matches(pool, text, range) {
  if (range) return overlaps(range, parse(pool.cidr));
  const words = [pool.id, pool.name, pool.cidr, pool.owner, pool.account, pool.region, pool.environment, pool.description];
  for (const [key, value] of Object.entries(pool.labels)) words.push(key + '=' + value);
  const all = words.join('\n').toLowerCase();
  return text.split(/\s+/).every((word) => all.includes(word));
}

// ORDERS are how the pools may be listed flat, the fullest or the tightest first.
const ORDERS = {
  used: (a, b) => b.figure.ratio - a.figure.ratio,
  free: (a, b) => largestFree(b) - largestFree(a),
};

// largestFree is the prefix length of the largest free block: 129 where nothing is free at all.
function largestFree({ utilization }) { return utilization.largest_free_prefix_length === undefined ? 129 : utilization.largest_free_prefix_length; }

// ordered lists the nodes flat in the given order, with the search applied. Those that are alike stand as in the tree.
export function ordered(nodes, order, q) {
  const wanted = q.trim() ? found(nodes, q) : null;
  return nodes.filter((node) => !wanted || wanted.get(node.pool.id)).sort(ORDERS[order]).map((node) => ({ node: { ...node, depth: 0, hasChildren: false }, open: false, dim: false }));
}

// isOrder says whether there is such an order.
export function isOrder(name) { return Object.hasOwn(ORDERS, name); }

// found maps the pools that match a search to true, and their ancestors, which keep the tree readable, to false.
export function found(nodes, q) {
  const text = q.trim().toLowerCase();
  const range = /[.:]/.test(text) ? parse(text) : null;
  const wanted = new Map();
  const path = [];
  for (const node of nodes) {
    path.length = node.depth;
    path.push(node.pool.id);
    if (!matches(node.pool, text, range)) continue;
    for (const id of path) if (!wanted.has(id)) wanted.set(id, false);
    wanted.set(node.pool.id, true);
  }
  return wanted;
}

// summarize counts over the roots, so that nothing is counted twice: IPv4 in addresses, IPv6 in networks of /64.
export function summarize(nodes) {
  const crowded = nodes.filter((node) => node.figure.ratio >= CROWDED).length;
  return [...family(nodes, 'ipv4'), ...family(nodes, 'ipv6'), { name: 'Pools over 80 % in use', value: String(crowded), mono: false }].slice(0, 5);
}

function family(nodes, name) {
  const roots = nodes.filter((node) => node.depth === 0 && node.pool.family === name).map((node) => node.figure);
  if (!roots.length) return [];
  const sum = (field) => roots.reduce((total, figure) => total + figure[field], 0n);
  const unit = name === 'ipv6' ? 1n << 64n : 1n;
  const word = name === 'ipv6' ? 'IPv6, in /64s' : 'IPv4 addresses';
  return [{ name: word, value: addresses((sum('total') / unit).toString()), mono: false }, { name: (name === 'ipv6' ? 'IPv6' : 'IPv4') + ' in use', value: percent(share(sum('used'), sum('total'))), mono: false }];
}
