// How many differences of each kind there are, over all scopes: the API lists them scope by scope.
import { all, get } from './api.js';

// MOST is how many differences of one scope are counted, SCOPES in how many scopes.
const MOST = 5000;
const SCOPES = 50;

// driftCounts answers {kinds: [{kind, count, href}], more}: the kinds that there are, and whether there are more than were counted.
export async function driftCounts() {
  const scopes = await all(['scopes'], {}, SCOPES);
  const lists = await Promise.all(scopes.items.map(async (scope) => ({ scope: scope.id, ...(await all(['drifts'], { scope: scope.id }, MOST)) })));
  const counts = new Map();
  for (const { scope, items } of lists) {
    for (const { kind } of items) counts.set(kind + ' ' + scope, (counts.get(kind + ' ' + scope) || 0) + 1);
  }
  const kinds = [...counts].map(([key, count]) => {
    const [kind, scope] = key.split(' ');
    return { key, kind, scope, count, href: '/drift?' + new URLSearchParams({ scope, kind }) };
  });
  return { kinds: kinds.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)), more: !scopes.complete || lists.some((list) => !list.complete) };
}
