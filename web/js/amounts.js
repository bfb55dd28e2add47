// Amounts of space in words: IPv4 in addresses, IPv6 in networks of /64, as the API counts them.
import { addresses, percent } from './format.js';

// PARTS are what space is split into, with the class that colours each.
export const PARTS = [['delegated', 'Delegated', 'k-pool'], ['allocated', 'Allocated', 'k-allocation'], ['reserved', 'Reserved', 'k-reservation'], ['held', 'Held', 'k-hold'], ['quarantined', 'Quarantined', 'k-quarantine'], ['free', 'Free', 'k-free']];

export const FAMILIES = [['ipv4', 'IPv4', 'addresses'], ['ipv6', 'IPv6', '/64s']];

// space shortens a number of addresses or of /64s; a part of one /64 is not rounded away.
export function space(n) {
  if (n > 0 && n < 1) return '< 1';
  return addresses(BigInt(Math.floor(n)).toString());
}

// unit names what space is counted in.
export function unit(family) { return family === 'ipv6' ? '/64s' : 'addresses'; }

// used is what somebody has: quarantined space is nobody's, and nobody gets it.
export function used(split) { return split.allocated.space + split.reserved.space + split.held.space; }

export function total(split) { return PARTS.reduce((sum, [name]) => sum + split[name].space, 0); }

export function ratio(part, whole) { return whole > 0 ? part / whole : 0; }

// CROWDED is the share of use from which a pool is marked.
export const CROWDED = 0.8;

// pathTo leads to the list of what is of a part, narrowed by the given filters as far as that list has them.
export function pathTo(part, { pool = '', scope = '', family = '' }) {
  const lists = { allocated: ['allocations', { family }], reserved: ['reservations', {}], held: ['holds', { kept: 'true' }], quarantined: ['quarantine', { family }] };
  if (!lists[part]) return '/pools' + words({ scope, pool });
  const [page, more] = lists[part];
  return '/' + page + words({ pool, scope: pool ? '' : scope, ...more });
}

// words is a query of what has a value.
export function words(values) {
  const text = new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
  return text ? '?' + text : '';
}

// stackOf is what a stacked bar shows of a split: a mark for each part that there is.
export function stackOf(split, whole, where, names = PARTS) {
  return names.filter(([name]) => split[name].space > 0).map(([name, word, kind]) => ({ kind, share: ratio(split[name].space, whole), href: pathTo(name, where), title: word + ': ' + percent(ratio(split[name].space, whole)) }));
}
