import { restore } from './allocation-acts.js';
import { remove } from './api.js';
import { start } from './app.js';
import { AGE, CIDR, CONTAINS, FAMILY, IN_POOL, NAME, OWNER, POOL, SCOPE, SORT, WITHIN, extra } from './columns.js';
import { facts } from './facts.js';
import { ask } from './form.js';
import { moment } from './format.js';
import { me } from './me.js';
import { records } from './records.js';

const CAUSES = { released: 'It was released', expired: 'Its time ended', shrunk: 'It was made smaller' };

function state(q) {
  const over = Date.now() >= Date.parse(q.until);
  return { state: over ? 'ended' : 'kept', text: (over ? 'Ended ' : 'Until ') + moment(q.until) };
}

function acts(q, list) {
  const can = [];
  if (q.restorable && me.may('operator', q.scope)) can.push({ word: 'Restore', first: true, run: () => restore(q.allocation, (back) => location.assign('/allocations?allocation=' + encodeURIComponent(back.id))) });
  if (me.may('admin', q.scope)) can.push({ word: 'End early…', run: () => end(q, list) });
  return can;
}

function end(q, list) {
  ask({
    title: 'End the quarantine of ' + q.cidr + '?', danger: true, word: 'End it', fields: [], lead: 'The block becomes free at once, for anyone. What still uses its addresses then collides with whoever gets them next, and ' + q.name + ' can no longer be restored.',
    send: (body, key) => remove(['quarantines', q.id], key), told: () => q.cidr + ' is free',
    done: () => {
      list.closeDrawer();
      return list.load();
    },
  });
}

function details(q, list) {
  const now = state(q);
  return {
    id: q.id, title: q.name, cidr: q.cidr, state: now.state, stateWord: now.text, history: q.allocation, acts: acts(q, list),
    lead: CAUSES[q.cause] + '. Nobody else is given the block until then, because routes and firewalls may still know it.',
    facts: facts([['Name', q.name], ['Pool', q.pool], ['Scope', q.scope], ['Owner', q.owner], ['Allocation', q.allocation, true], ['Id', q.id, true], ['Since', moment(q.created_at)]]),
    links: q.pool ? [{ href: '/pools?' + new URLSearchParams({ scope: q.scope, pool: q.pool }), text: 'Open its pool' }] : [],
  };
}

start({ records: () => records({
  resource: 'quarantines', place: 'quarantine', one: 'quarantine', noun: 'block', search: 'name or owner', fields: [WITHIN, CONTAINS, POOL, SCOPE, OWNER, FAMILY, SORT, { name: 'allocation', label: 'Allocation', placeholder: 'alloc_…', mono: true }],
  columns: [{ ...CIDR, sort: ['cidr'] }, NAME, IN_POOL, extra('Owner', 'owner'), { head: 'Kept', class: 'c-state', cell: state }, { ...AGE, sort: ['-created', 'created'] }],
  details, empty: ['Nothing is in quarantine.', 'A block that was released waits here before somebody else gets it, for as long as its pool says. Until then it can be had back with its name and its CIDR.'],
}) });
