// Where a block would fit: pools with room for a size, what each would give and what that leaves; and what is at a CIDR.
import { all, get } from './api.js';
import { parse, slot } from './cidr.js';
import { addresses, prefixLength } from './format.js';
import { stateWord } from './space-map.js';

const AT_ONCE = 6;

// LISTED is how much of what lies inside a block is shown.
const LISTED = 50;

// MOST is how many pools are asked for their free blocks. More are too many to choose from: a filter says which.
const MOST = 60;

// candidates are the pools of the filters that hand out the size: {pools, left out, read completely}.
export async function candidates({ length, ...filters }) {
  const { items, complete } = await all(['pools'], filters, 5000);
  const fitting = items.filter((pool) => pool.prefix_length < length && (pool.min_prefix_length || 0) <= length && (pool.max_prefix_length || 128) >= length);
  return { pools: fitting.slice(0, MOST), more: Math.max(0, fitting.length - MOST), complete };
}

// offers asks each pool what it would give. Best is where the least is broken up: the tightest block first, then the name.
export async function offers(pools, length) {
  const found = [];
  for (let i = 0; i < pools.length; i += AT_ONCE) {
    found.push(...await Promise.all(pools.slice(i, i + AT_ONCE).map(async (pool) => offer(pool, (await get(['pools', pool.id, 'free-blocks'])).items, length))));
  }
  return found.filter(Boolean).sort((a, b) => b.from - a.from || (a.pool < b.pool ? -1 : 1));
}

// offer is the lowest block of a length in the smallest free block that is large enough, or null where nothing is.
export function offer(pool, free, length) {
  const large = free.filter((b) => b.prefix_length <= length);
  if (!large.length) return null;
  const tightest = large.reduce((best, b) => (b.prefix_length > best.prefix_length ? b : best));
  const fits = large.reduce((sum, b) => sum + BigInt(b.count) * (1n << BigInt(length - b.prefix_length)), 0n);
  const rest = free.filter((b) => b !== tightest || b.count > 1).map((b) => b.prefix_length);
  if (tightest.prefix_length < length) rest.push(tightest.prefix_length + 1);
  return Object.freeze({
    pool: pool.id, scope: pool.scope, from: tightest.prefix_length, cidr: slot(parse(tightest.first), length, 0), room: addresses(fits.toString()), environment: pool.environment, region: pool.region, owner: pool.owner,
    leaves: fits === 1n ? 'no other /' + length : addresses((fits - 1n).toString()) + ' more, largest free ' + prefixLength(rest.length ? Math.min(...rest) : null),
    link: '/pools?' + new URLSearchParams({ scope: pool.scope, pool: pool.id }),
  });
}

// around asks what is at a block, per scope: {scope, chain, inside, complete, pool, holder, free, observed}. chain is what covers it,
// the outermost first; pool the innermost of its pools; holder what has it without being one; free the free block around it.
export async function around(cidr, scope) {
  const { places } = await get(['search'], { q: cidr, scope, limit: LISTED });
  return places.map((place) => {
    const holder = place.holder && !(place.holder.kind === 'pool' && place.holder.status === 'allocated') ? { ...place.holder, scope: place.scope, owner_id: place.holder.id } : undefined;
    const chain = place.pools.map((pool) => ({ kind: 'pool', status: 'allocated', owner_id: pool.id, name: pool.name, cidr: pool.cidr, scope: pool.scope }));
    return { scope: place.scope, chain: holder ? [...chain, holder] : chain, inside: place.inside, complete: !place.more, pool: chain[chain.length - 1], holder, free: place.free || '', observed: place.observations };
  });
}

// wordOf says what a block is, seen from no pool in particular.
export function wordOf(prefix) { return prefix.kind === 'pool' && prefix.status === 'allocated' ? 'pool' : stateWord(prefix); }

// linkTo leads to what owns a block.
export function linkTo(prefix) {
  const id = encodeURIComponent(prefix.owner_id);
  switch (prefix.kind) {
    case 'pool': return prefix.status === 'held' ? '/holds?pool=' + id : '/pools?' + new URLSearchParams({ scope: prefix.scope, pool: prefix.owner_id });
    case 'allocation': return '/allocations?allocation=' + id;
    case 'reservation': return '/reservations?reservation=' + id;
    case 'hold': return '/holds?hold=' + id;
    case 'quarantine': return '/quarantine?quarantine=' + id;
    default: return '';
  }
}
