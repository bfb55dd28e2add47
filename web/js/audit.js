import { start } from './app.js';
import { SCOPE, WITHIN, extra } from './columns.js';
import { diff } from './diff.js';
import { facts } from './facts.js';
import { age, moment } from './format.js';
import { records } from './records.js';

function nameOf(e) { return (e.after && e.after.name) || (e.before && e.before.name) || e.object_id; }

const PAGES = { approval: '/approvals?approval=', allocation: '/allocations?allocation=', allocation_set: '/sets?set=', set: '/sets?set=', reservation: '/reservations?reservation=', webhook: '/webhooks?webhook=', quarantine: '/quarantine?quarantine=' };

function links(e) {
  const page = PAGES[e.object_kind];
  const pool = e.object_kind === 'pool' && e.after && e.after.id;
  return [
    { href: '/audit?object=' + encodeURIComponent(e.object_id), text: 'All of this object' }, { href: '/audit?actor=' + encodeURIComponent(e.actor), text: 'All of ' + e.actor },
    ...(e.cidr ? [{ href: '/audit?within=' + encodeURIComponent(e.cidr), text: 'All about ' + e.cidr }] : []), ...(page && e.after ? [{ href: page + encodeURIComponent(e.object_id), text: 'Open it' }] : []), ...(pool ? [{ href: '/pools?pool=' + encodeURIComponent(pool), text: 'Open the pool' }] : []),
  ];
}

function details(e) {
  return {
    id: e.id, title: e.action, lead: nameOf(e) + (e.reason ? ': ' + e.reason : ''), cidr: e.cidr || '',
    facts: facts([['Who', e.actor], ['When', moment(e.at)], ['From', [e.source, e.address].filter(Boolean).join(', ')], ['Scope', e.scope], ['Object', e.object_id, true], ['Request', e.request_id, true], ['Chain', e.chain + ', ' + e.sequence, true], ['Id', e.id, true], ['Hash', e.hash, true]]),
    heads: ['Field', 'Before', 'After'], table: diff(e.before, e.after).map((line) => ({ key: line.name, cells: [{ key: 1, text: line.name, class: '' }, { key: 2, text: line.before || '∅', class: 'was' }, { key: 3, text: line.after || '∅', class: 'is' }] })), links: links(e),
  };
}

// DAYS are the times that are asked for most: from how many days ago to how many, in days of the person.
const DAYS = [['Today', 0, null], ['Yesterday', 1, 0], ['7 days', 7, null]];

function dayAgo(days) {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).toISOString();
}

function between(list, since, until) {
  list.since = dayAgo(since);
  list.until = until === null ? '' : dayAgo(until);
  return list.apply();
}

const WHEN = (name, label) => ({ name, label, placeholder: '2026-11-28T00:00:00Z', mono: true });

start({ records: () => records({
  resource: 'events', place: 'audit', one: 'event', noun: 'event', fields: [{ name: 'actor', label: 'Who', placeholder: 'token:ci' }, { name: 'action', label: 'Action', placeholder: 'allocation.created' }, { name: 'object', label: 'Object', placeholder: 'prod or alloc_…', mono: true }, WITHIN, SCOPE, WHEN('since', 'Since'), WHEN('until', 'Until')],
  columns: [{ head: 'When', class: 'c-age muted', cell: (e) => ({ text: age(e.at) + ' ago', title: moment(e.at) }) }, { head: 'Action', class: 'c-name', opens: true, cell: (e) => e.action }, { head: 'What', class: 'c-pool', cell: nameOf }, { head: 'CIDR', class: 'c-cidr', cell: (e) => (e.cidr ? { text: e.cidr, code: true } : '') }, { head: 'Who', class: 'c-who', cell: (e) => e.actor }, extra('Scope', 'scope'), extra('From', 'source')],
  acts: (list) => DAYS.map(([word, since, until]) => ({ word, run: () => between(list, since, until) })),
  listed: true, details, empty: ['Nothing has happened yet.', 'Every change stands here, with who made it and what was before.'],
}) });
