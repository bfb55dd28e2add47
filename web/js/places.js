// Where a block would fit: pools with room for a size, what each would give and what that leaves; and what is at a CIDR.
import { all, get } from './api.js';
import { overlaps, parse, slot } from './cidr.js';
import { addresses, prefixLength } from './format.js';
import { stateWord } from './space-map.js';

const AT_ONCE = 6;

// MOST is how many pools are asked for their free blocks. More are too many to choose from: a filter says which.
const MOST = 60;

// candidates are the pools of the filters that hand out the size: {pools, left out, read completely}.
export async function candidates({ length, family, scope, environment, region, label, q }) {
  const { items, complete } = await all(['pools'], { scope, family, label, q }, 5000);
  const same = (have, want) => !want || have.toLowerCase() === want.toLowerCase();
  const fitting = items.filter((pool) => same(pool.environment, environment) && same(pool.region, region) && pool.prefix_length < length && (pool.min_prefix_length || 0) <= length && (pool.max_prefix_length || 128) >= length);
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

// around reads what covers a CIDR and what lies inside it, per scope: [{scope, chain, inside, pool, holder}]. The holder is what
// covers it without being a pool.
export async function around(cidr, scope) {
  const [over, within] = await Promise.all([all(['prefixes'], { contains: cidr, scope }, 1000), all(['prefixes'], { within: cidr.includes('/') ? cidr : cidr + '/' + parse(cidr).bits, scope }, 1000)]);
  const inside = within.items.filter((p) => !over.items.some((o) => o.owner_id === p.owner_id && o.cidr === p.cidr));
  const scopes = [...new Set([...over.items, ...inside].map((p) => p.scope))].sort();
  return scopes.map((id) => {
    const chain = over.items.filter((p) => p.scope === id).sort((a, b) => parse(a.cidr).length - parse(b.cidr).length || (a.kind === 'pool' ? -1 : 1));
    const pools = chain.filter((p) => p.kind === 'pool' && p.status === 'allocated');
    return { scope: id, chain, inside: inside.filter((p) => p.scope === id), complete: within.complete, pool: pools[pools.length - 1], holder: chain.find((p) => p.kind !== 'pool' || p.status !== 'allocated') };
  });
}

// freeAround is the free block of a pool that holds a CIDR, or '' where it is not among the first thousands.
export async function freeAround(pool, cidr) {
  const wanted = parse(cidr);
  const { items } = await all(['pools', pool, 'space'], {}, 5000);
  const block = items.find((b) => b.status === 'free' && overlaps(parse(b.cidr), wanted) && parse(b.cidr).length <= wanted.length);
  return block ? block.cidr : '';
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
