import { accountActs, newAccount, views } from './account-acts.js';
import { start } from './app.js';
import { tarOf } from './drift-acts.js';
import { CLOUD, ENVIRONMENT, LABEL, OWNER, PLATFORM, REGION, SCOPE, TIER, extra } from './columns.js';
import { facts } from './facts.js';
import { labelText, moment } from './format.js';
import { me } from './me.js';
import { records } from './records.js';
import { accountImport, accountResource } from './terraform.js';

const CLOUDS = { aws: 'AWS account', gcp: 'GCP project', custom: 'Other place' };
const MODES = { observe: 'observe: CloudPAM only looks', plan: 'plan: CloudPAM proposes changes', apply: 'apply: CloudPAM makes what was approved' };

function details(a, list) {
  const all = [
    ['Name', a.name], ['Kind', CLOUDS[a.cloud]], ['External id', a.external_id, true], ['Scope', a.scope], ['Tier', a.tier], ['Environment', a.environment], ['Owner', a.owner], ['Platform', a.platform],
    ['Regions', a.regions.join(', ')], ['Mode', MODES[a.mode]], ['Role', a.role_arn, true], ['Acts as', a.workload_identity, true], ['Labels', labelText(a.labels)],
    ['Version', String(a.version), true], ['Created', moment(a.created_at)], ['Changed', a.updated_at === a.created_at ? '' : moment(a.updated_at)],
  ];
  views(a, list);
  const of = encodeURIComponent(a.id);
  return {
    id: a.id, title: a.name, cidr: a.id, lead: a.description, facts: facts(all), terraform: accountImport(a), history: a.uid, acts: accountActs(a, list), heads: ['View', 'Seen', 'State'],
    links: [{ href: '/allocations?account=' + of, text: 'Its allocations' }, { href: '/networks?account=' + of, text: 'What its cloud shows' }, { href: '/drift?' + new URLSearchParams({ account: a.id, scope: a.scope }), text: 'Its drift' }, { href: '/analytics?by=account', text: 'How much it has, beside the others' }, { href: tarOf(a.id), text: 'Its Terraform modules as a tar' }],
  };
}

start({ records: () => records({
  resource: 'accounts', one: 'account', noun: 'account', search: 'id, name, owner or platform',
  fields: [CLOUD, PLATFORM, TIER, OWNER, ENVIRONMENT, REGION, SCOPE, LABEL],
  columns: [
    { head: 'Account', class: 'c-wide', cell: (a) => ({ text: a.id, code: true }) }, { head: 'Name', class: 'c-name', opens: true, cell: (a) => a.name }, extra('Owner', 'owner'), extra('Platform', 'platform'), { head: 'Tier', class: 'c-age', cell: (a) => a.tier || '' },
    extra('Environment', 'environment'), { head: 'Regions', class: 'c-extra muted', cell: (a) => a.regions.join(', ') }, extra('Scope', 'scope'), extra('Mode', 'mode'),
  ],
  details, empty: ['No account yet.', 'An account is an AWS account, a GCP project or another place that networks live in. It holds no secret. With the Terraform provider:'], example: accountResource(),
  acts: (list) => (me.may('admin') ? [{ word: 'New account', first: true, run: () => newAccount(list) }] : []),
}) });
