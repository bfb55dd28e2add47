import { allocate } from './allocating.js';
import { allocationActs } from './allocation-acts.js';
import { start } from './app.js';
import { ACCOUNT, AGE, CIDR, CLOUD, CONTAINS, ENVIRONMENT, FAMILY, IN_POOL, LABEL, NAME, OWNER, PLATFORM, POOL, REGION, SCOPE, SORT, TIER, WITHIN, extra, poolLink } from './columns.js';
import { facts } from './facts.js';
import { labelText, moment } from './format.js';
import { me } from './me.js';
import { records } from './records.js';
import { allocationImport, setOf } from './terraform.js';

function details(a, list) {
  const all = [
    ['Name', a.name], ['Pool', a.pool], ['Scope', a.scope], ['Set', a.set_key ? setOf(a) + ', key ' + a.set_key : ''], ['Owner', a.owner], ['Purpose', a.purpose], ['Account', a.account, true], ['Region', a.region], ['Environment', a.environment],
    ['Labels', labelText(a.labels)], ['Ends', a.expires_at ? moment(a.expires_at) : ''], ['Id', a.id, true], ['Version', String(a.version), true], ['Created', moment(a.created_at)], ['Changed', moment(a.updated_at)],
  ];
  return {
    id: a.id, title: a.name, cidr: a.cidr, lead: a.description, facts: facts(all), terraform: allocationImport(a), history: a.id, acts: allocationActs(a, list),
    links: [{ href: poolLink(a), text: 'Open its pool' }, ...(a.set ? [{ href: '/sets?set=' + encodeURIComponent(a.set), text: 'Open its set' }] : []), ...(a.account ? [{ href: '/allocations?account=' + encodeURIComponent(a.account), text: 'All of this account' }] : [])],
  };
}

const allocations = () => records({
  resource: 'allocations', one: 'allocation', noun: 'allocation', search: 'name, owner or description', counts: true,
  fields: [WITHIN, CONTAINS, POOL, SCOPE, ACCOUNT, OWNER, ENVIRONMENT, REGION, PLATFORM, TIER, CLOUD, LABEL, { name: 'set', label: 'Set', placeholder: 'set_05avjh1t8b002' }, FAMILY, SORT],
  columns: [{ ...CIDR, sort: ['cidr'] }, NAME, IN_POOL, extra('Owner', 'owner'), extra('Account', 'account'), extra('Region', 'region'), extra('Environment', 'environment'), { ...AGE, sort: ['-created', 'created'] }],
  details, empty: ['No allocation yet.', 'An allocation is a block handed out of a pool. Make one here, or with the Terraform provider:'],
  example: 'resource "cloudpam_allocation" "app" {\n  pool          = "prod"\n  name          = "app"\n  prefix_length = 24\n}',
  acts: (list) => (me.may('operator') ? [{ word: 'Allocate', first: true, run: () => allocate({ pool: list.pool, done: (made) => list.after(made) }) }] : []),
});

start({ records: () => {
  const list = allocations();
  // Filters may leave out what was just made, or a page: its details say what it got.
  list.after = async function after(made) {
    await this.load();
    await this.open(made.id);
  };
  return list;
} });
