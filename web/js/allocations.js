import { start } from './app.js';
import { facts } from './facts.js';
import { age, labelText, moment } from './format.js';
import { listing } from './listing.js';
import { allocationImport, setOf } from './terraform.js';

const FILTERS = ['q', 'within', 'contains', 'pool', 'scope'];
const NONE = { name: '', cidr: '', description: '', facts: [], poolLink: '', terraform: '' };

function allocations() {
  return {
    ...listing({ resource: 'allocations', one: 'allocation', filters: FILTERS, row, details, none: NONE }),

    get filtered() { return this.isFiltered(); },
    get summary() { return this.counted('allocation'); },
    get example() { return 'resource "cloudpam_allocation" "app" {\n  pool          = "prod"\n  name          = "app"\n  prefix_length = 24\n}'; },
  };
}

function row(a) {
  return Object.freeze({ id: a.id, cidr: a.cidr, name: a.name, pool: a.pool, owner: a.owner, account: a.account, region: a.region, environment: a.environment, age: age(a.created_at), created: moment(a.created_at) });
}

function details(a) {
  const all = [
    ['Name', a.name], ['Pool', a.pool], ['Scope', a.scope], ['Set', a.set_key ? setOf(a) + ', key ' + a.set_key : ''], ['Owner', a.owner], ['Purpose', a.purpose], ['Account', a.account, true], ['Region', a.region], ['Environment', a.environment],
    ['Labels', labelText(a.labels)], ['Id', a.id, true], ['Version', String(a.version), true], ['Created', moment(a.created_at)], ['Changed', moment(a.updated_at)],
  ];
  return {
    name: a.name, cidr: a.cidr, description: a.description, terraform: allocationImport(a), facts: facts(all),
    poolLink: '/pools?' + new URLSearchParams({ scope: a.scope, pool: a.pool }),
  };
}

start({ allocations });
