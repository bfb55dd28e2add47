// The pools as a flat list: what the tree shows by its levels stands here in an order, with filters, columns and views.
import { allocate } from './allocating.js';
import { get } from './api.js';
import { start } from './app.js';
import { ACCOUNT, AGE, CIDR, CLOUD, CONTAINS, ENVIRONMENT, FAMILY, LABEL, NAME, OWNER, PLATFORM, REGION, SCOPE, SORT, TIER, WITHIN, extra } from './columns.js';
import { facts } from './facts.js';
import { labelText, moment } from './format.js';
import { me } from './me.js';
import { newPool, poolActs } from './pool-acts.js';
import { records } from './records.js';
import { poolImport } from './terraform.js';

function acts(p, list) {
  const given = me.may('operator', p.scope, p.within) ? [{ word: 'Allocate', first: true, run: () => allocate({ pool: p.id, block: '', done: () => list.after(p.id) }) }] : [];
  return [...given, ...poolActs(p, p.within, (id) => list.after(id))];
}

function details(p, list) {
  const all = [
    ['Name', p.name], ['Parent', p.parent], ['Scope', p.scope], ['Owner', p.owner], ['Account', p.account, true], ['Region', p.region], ['Environment', p.environment], ['Labels', labelText(p.labels)], ['Strategy', p.strategy.replace('_', ' ')],
    ['Protected', p.deletion_protection ? 'cannot be deleted' : ''], ['Id', p.id, true], ['Version', String(p.version), true], ['Created', moment(p.created_at)], ['Changed', moment(p.updated_at)],
  ];
  return {
    id: p.id, title: p.name, cidr: p.cidr, lead: p.description, facts: facts(all), terraform: poolImport(p), history: p.uid, acts: acts(p, list),
    links: [
      { href: '/pools?' + new URLSearchParams({ scope: p.scope, pool: p.id }), text: 'Its space, in the tree' }, { href: '/pool-list?' + new URLSearchParams({ parent: p.id }), text: 'The pools in it' },
      { href: '/allocations?' + new URLSearchParams({ pool: p.id }), text: 'Its allocations' }, { href: '/analytics?' + new URLSearchParams({ pool: p.id }), text: 'Its figures' },
    ],
  };
}

// A parent is called by its name here: its scope is the pool's own.
const pools = () => records({
  resource: 'pools', place: 'pool-list', one: 'pool', noun: 'pool', search: 'name, owner or description', counts: true,
  fields: [WITHIN, CONTAINS, { name: 'parent', label: 'Parent', placeholder: 'corp', list: 'pools' }, SCOPE, ACCOUNT, OWNER, ENVIRONMENT, REGION, PLATFORM, TIER, CLOUD, LABEL, FAMILY, SORT],
  columns: [{ ...CIDR, sort: ['cidr'] }, NAME, { head: 'Parent', class: 'c-pool', cell: (p) => (p.parent || '').split('.').at(-1) }, extra('Scope', 'scope'), extra('Owner', 'owner'), extra('Account', 'account'), extra('Region', 'region'), extra('Environment', 'environment'), { ...AGE, sort: ['-created', 'created'] }],
  details, empty: ['No pool yet.', 'A pool is a CIDR to allocate from. Make one here, or with the Terraform provider:'],
  example: 'resource "cloudpam_pool" "corp" {\n  name = "corp"\n  cidr = "10.0.0.0/8"\n}',
  acts: (list) => (me.may('admin', list.scope || 'default', list.parent ? [list.parent] : []) ? [{ word: 'New pool', first: true, run: () => newPool({ parent: list.parent, scope: list.scope || 'default', done: (id) => list.after(id) }) }] : []),
});

start({ records: () => {
  const list = pools();
  // A role in a pool counts in those below it, so what may be done to one depends on what is around it.
  list.read = async function read(id) {
    const pool = await get(['pools', id]);
    const around = await get(['pools'], { scope: pool.scope, contains: pool.cidr, limit: 1000 });
    return { ...pool, within: around.items.map((p) => p.id) };
  };
  // What was deleted is not opened again: then its parent is named, or nothing.
  list.after = async function after(id) {
    await this.load();
    if (id) await this.open(id); else this.closeDrawer();
  };
  return list;
} });
