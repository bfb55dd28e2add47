// What the panel says of a pool in words and figures.
import { facts } from './facts.js';
import { addresses, labelText, moment, percent, prefixLength } from './format.js';
import { share } from './pool-rows.js';
import { isDraft } from './space-map.js';
import { allocationResource, poolImport } from './terraform.js';

// shownOf shapes a node of the tree. Its figures are what is really in use, see figures.js.
export function shownOf({ pool, utilization, figure, within }) {
  return {
    id: pool.id, name: pool.name, cidr: pool.cidr, description: pool.description, within, parent: pool.parent || '', history: pool.uid,
    used: percent(figure.ratio), quarantined: percent(share(figure.quarantined, figure.total)), delegated: percent(share(figure.delegated, figure.total)), largest: prefixLength(utilization.largest_free_prefix_length),
    free: addresses(utilization.free), count: addresses(String(utilization.allocations)),
    facts: settings(pool, utilization), terraform: poolImport(pool) + '\n\n' + allocationResource(pool),
  };
}

// promiseLink leads from a kept block to its reservation or hold and from a draft pool to what is held in it; other blocks
// have none.
export function promiseLink(poolID, block) {
  if (isDraft(block)) return '/holds?pool=' + encodeURIComponent(block.owner_id);
  if (block.kind !== 'hold' && block.kind !== 'reservation') return '';
  return '/' + block.kind + 's?' + new URLSearchParams({ pool: poolID, [block.kind]: block.owner_id });
}

function settings(pool, utilization) {
  const sizes = prefixLength(pool.min_prefix_length || undefined) + ' to ' + prefixLength(pool.max_prefix_length || undefined);
  const limited = pool.min_prefix_length || pool.max_prefix_length;
  const all = [
    ['Id', pool.id, true], ['Scope', pool.scope], ['Parent', pool.parent], ['Strategy', pool.strategy.replace('_', ' ')],
    ['Sizes', limited ? sizes.replace('none to', 'up to').replace(' to none', ' or smaller') : '', true],
    ['Default size', pool.default_prefix_length ? '/' + pool.default_prefix_length : '', true],
    ['Owner', pool.owner], ['Account', pool.account, true], ['Region', pool.region], ['Environment', pool.environment],
    ['Labels', labelText(pool.labels)], ['Child pools', utilization.children ? String(utilization.children) : '', false, true],
    ['Fragmentation', percent(utilization.fragmentation), false, true], ['Protected', pool.deletion_protection ? 'cannot be deleted' : ''], ['Created', moment(pool.created_at)],
  ];
  return facts(all);
}
