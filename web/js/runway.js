// How long the space of a pool lasts, in words.
import { ratio, space, unit } from './amounts.js';
import { moment, percent, plural } from './format.js';

// LONG is from when on a date would say more than is known.
const LONG = 3650;

// SOON is up to when it is marked.
const SOON = 30;

export function lasting(p) {
  return {
    id: p.pool, cidr: p.cidr, href: '/pools?' + new URLSearchParams({ scope: p.scope, pool: p.pool }), chart: '/analytics?' + new URLSearchParams({ pool: p.pool }), lasts: lasts(p.days), soon: p.days < SOON, free: space(p.free.space) + ' ' + unit(p.family), freeShare: percent(ratio(p.free.space, p.space)),
    grown: space(p.grown.space), grownTitle: plural(p.grown.blocks, 'block') + ', ' + space(p.grown.space) + ' ' + unit(p.family) + ' since ' + moment(p.since),
  };
}

// lasts rounds down: nobody complains of a day too many.
export function lasts(days) {
  if (days >= LONG) return 'over 10 years';
  if (days >= 730) return Math.floor(days / 365) + ' years';
  if (days < 1) return days === 0 ? 'nothing is left' : 'less than a day';
  return plural(Math.floor(days), 'day');
}
