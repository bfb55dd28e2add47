// What is allocated by what allocations have in common, and which sizes are left.
import { ratio, space, unit, words } from './amounts.js';
import { addresses, percent, plural } from './format.js';

export const DIMENSIONS = ['account', 'owner', 'environment', 'region', 'platform', 'tier', 'cloud', 'pool', 'scope'].map((by) => [by, by]);

// MOST is how many groups have a mark and a row of their own.
const MOST = 8;

// groups shapes the answer of /analytics/space for one family: the largest, and the others together.
export function groups({ by, groups: all, rest }, family, where) {
  const some = [...all, ...(rest ? [{ ...rest, key: null }] : [])].filter((g) => g[family].blocks > 0).sort((a, b) => b[family].space - a[family].space);
  const whole = some.reduce((sum, g) => sum + g[family].space, 0);
  const shown = some.filter((g) => g.key !== null).slice(0, MOST);
  const others = some.filter((g) => !shown.includes(g)).map((g) => g[family]);
  const rows = shown.map((g, i) => row(g.key || 'not said', 'v-' + i, g[family], whole, family, g.key ? '/allocations' + words({ ...(by === 'scope' ? {} : { scope: where.pool ? '' : where.scope }), pool: where.pool, family, [by]: g.key }) : ''));
  if (others.length) rows.push(row('all others', 'v-none', { blocks: others.reduce((sum, a) => sum + a.blocks, 0), space: others.reduce((sum, a) => sum + a.space, 0) }, whole, family, ''));
  return { rows, marks: rows.map(({ kind, part, href, name, share }) => ({ kind, share: part, href, title: name + ': ' + share })) };
}

function row(name, kind, amount, whole, family, href) {
  const part = ratio(amount.space, whole);
  return Object.freeze({ name, kind, part, href, blocks: plural(amount.blocks, 'block'), space: space(amount.space), title: space(amount.space) + ' ' + unit(family), share: percent(part) });
}

// classes shapes the free blocks by size: the bar is the share of all that is free of the family.
export function classes(items, where) {
  const bits = { ipv4: 32n, ipv6: 128n };
  const size = (c) => BigInt(c.count) << (bits[c.family] - BigInt(c.prefix_length));
  const whole = { ipv4: 0n, ipv6: 0n };
  for (const c of items) whole[c.family] += size(c);
  return items.map((c) => {
    const share = Number((size(c) * 1000000n) / whole[c.family]) / 1000000;
    return Object.freeze({
      key: c.family + c.prefix_length, family: c.family === 'ipv6' ? 'IPv6' : 'IPv4', size: '/' + c.prefix_length, count: addresses(String(c.count)), fits: addresses(c.fits), share: percent(share),
      href: '/find' + words({ size: '/' + c.prefix_length, family: c.family, scope: where.scope }), marks: [{ kind: 'k-left', share, href: '', title: percent(share) + ' of what is free' }],
    });
  });
}
