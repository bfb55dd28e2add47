import { start } from './app.js';
import { ACCOUNT, CONTAINS, LABEL, SCOPE, WITHIN, extra } from './columns.js';
import { facts } from './facts.js';
import { labelText, moment } from './format.js';
import { records } from './records.js';

const KINDS = { network: 'network', subnet: 'subnet', secondary: 'secondary range' };

function details(o) {
  const all = [
    ['Kind', KINDS[o.kind]], ['Id', o.id, true], ['Account', o.account, true], ['Network', o.network, true], ['Region', o.region], ['Zone', o.zone], ['Scope', o.scope || 'none: it is in no pool'], ['Owner', o.owner, true], ['Allocation', o.allocation, true],
    ['Default', o.default ? 'made by the cloud itself' : ''], ['Labels', labelText(o.labels)], ['First seen', moment(o.first_seen_at)], ['Changed', moment(o.changed_at)], ['Missed', o.misses ? o.misses + ' listings since it was last seen' : ''],
  ];
  return {
    id: o.uid, title: o.name || o.id, cidr: o.cidr, facts: facts(all),
    links: [
      ...(o.allocation ? [{ href: '/allocations?allocation=' + encodeURIComponent(o.allocation), text: 'Its allocation' }] : [{ href: '/find?cidr=' + encodeURIComponent(o.cidr), text: 'What CloudPAM has there' }]),
      { href: '/networks?' + new URLSearchParams({ account: o.account, network: o.network || o.id }), text: 'All of its network' }, { href: '/accounts?account=' + encodeURIComponent(o.account), text: 'Its account' },
    ],
  };
}

start({ records: () => records({
  resource: 'observations', place: 'networks', one: 'observation', noun: 'block', search: 'name or id',
  fields: [WITHIN, CONTAINS, ACCOUNT, { name: 'kind', label: 'Kind', options: [['', 'All'], ...Object.entries(KINDS)] }, { name: 'region', label: 'Region', placeholder: 'eu-west-1' }, { name: 'network', label: 'Network', placeholder: 'vpc-0123', mono: true }, SCOPE, LABEL, { name: 'unmapped', label: 'Mapped', options: [['', 'All'], ['true', 'Only in no scope']] }],
  columns: [{ head: 'CIDR', class: 'c-cidr', cell: (o) => ({ text: o.cidr, code: true }) }, { head: 'Name', class: 'c-name', opens: true, cell: (o) => o.name || o.id }, { head: 'Kind', class: 'c-age', cell: (o) => KINDS[o.kind] }, { head: 'Account', class: 'c-pool', cell: (o) => o.account }, extra('Region', 'region'), extra('Network', 'network'), extra('Scope', 'scope'), { head: 'Planned', class: 'c-extra muted', cell: (o) => (o.allocation ? 'yes' : o.kind === 'network' ? '' : 'no') }],
  id: (o) => o.uid, listed: true, details,
  empty: ['Nothing has been observed yet.', 'What an account’s cloud shows stands here: networks, subnets and secondary ranges, as they are. Open an account and let it look.'],
}) });
