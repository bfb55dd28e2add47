import { start } from './app.js';
import { ACCOUNT, AGE, ENVIRONMENT, IN_POOL, LABEL, NAME, OWNER, PLATFORM, POOL, REGION, SCOPE, TIER, extra, poolLink } from './columns.js';
import { facts } from './facts.js';
import { labelText, moment, plural } from './format.js';
import { me } from './me.js';
import { records } from './records.js';
import { newSet, setActs } from './set-acts.js';
import { allocationSetImport } from './terraform.js';

function details(s, list) {
  const all = [
    ['Name', s.name], ['Pool', s.pool], ['Scope', s.scope], ['Owner', s.owner], ['Purpose', s.purpose], ['Account', s.account, true], ['Region', s.region], ['Environment', s.environment], ['Labels', labelText(s.labels)],
    ['Id', s.id, true], ['Version', String(s.version), true], ['Created', moment(s.created_at)], ['Changed', moment(s.updated_at)],
  ];
  return {
    id: s.id, title: s.name, lead: s.description, facts: facts(all), terraform: allocationSetImport(s), history: s.id, acts: setActs(s, list),
    heads: ['Key', 'CIDR'], table: s.members.map((m) => ({ key: m.key, cells: [{ key: 'key', text: m.key, class: '' }, { key: 'cidr', text: m.cidr, class: 'mono' }] })),
    links: [{ href: '/allocations?set=' + encodeURIComponent(s.id), text: 'Its members as allocations' }, { href: poolLink(s), text: 'Open its pool' }],
  };
}

start({ records: () => records({
  resource: 'allocation-sets', place: 'sets', one: 'set', noun: 'set', search: 'name, owner or description', fields: [{ name: 'name', label: 'Name', placeholder: 'vpc' }, POOL, SCOPE, ACCOUNT, OWNER, ENVIRONMENT, REGION, PLATFORM, TIER, LABEL],
  columns: [NAME, IN_POOL, { head: 'Members', class: 'c-cidr', cell: (s) => ({ text: plural(s.members.length, 'key'), title: s.members.map((m) => m.key + ' ' + m.cidr).join(', ') }) }, extra('Owner', 'owner'), extra('Region', 'region'), extra('Environment', 'environment'), AGE],
  details, empty: ['No allocation set yet.', 'A set is a map of keys to sizes, packed at once. A key keeps its CIDR when others come and go, so another availability zone renumbers nothing:'],
  example: 'resource "cloudpam_allocation_set" "vpc" {\n  pool = "prod"\n  name = "vpc"\n  subnets = {\n    app-a = 24\n    app-b = 24\n  }\n}',
  acts: (list) => (me.may('operator') ? [{ word: 'New set', first: true, run: () => newSet(list) }] : []),
}) });
