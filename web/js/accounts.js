import { start } from './app.js';
import { facts } from './facts.js';
import { labelText, moment } from './format.js';
import { listing } from './listing.js';
import { accountImport, accountResource } from './terraform.js';

const FILTERS = ['q', 'cloud', 'environment', 'scope'];
const NONE = { id: '', name: '', description: '', facts: [], terraform: '' };
const CLOUDS = { aws: 'AWS account', gcp: 'GCP project', custom: 'Other place' };
const MODES = { observe: 'observe: CloudPAM only looks', plan: 'plan: CloudPAM proposes changes', apply: 'apply: CloudPAM makes what was approved' };

function accounts() {
  return {
    ...listing({ resource: 'accounts', one: 'account', filters: FILTERS, row, details, none: NONE }),

    get filtered() { return this.isFiltered(); },
    get summary() { return this.counted('account'); },
    get environments() { return [...new Set(this.rows.map((a) => a.environment).filter(Boolean))].sort(); },
    get example() { return accountResource(); },
  };
}

function row(a) {
  return Object.freeze({ id: a.id, name: a.name, tier: a.tier || '', environment: a.environment, owner: a.owner, scope: a.scope, mode: a.mode, regions: a.regions.join(', ') });
}

function details(a) {
  const all = [
    ['Name', a.name], ['Kind', CLOUDS[a.cloud]], ['External id', a.external_id, true], ['Scope', a.scope], ['Tier', a.tier], ['Environment', a.environment], ['Owner', a.owner], ['Platform', a.platform],
    ['Regions', a.regions.join(', ')], ['Mode', MODES[a.mode]], ['Role', a.role_arn, true], ['Acts as', a.workload_identity, true], ['Labels', labelText(a.labels)],
    ['Version', String(a.version), true], ['Created', moment(a.created_at)], ['Changed', a.updated_at === a.created_at ? '' : moment(a.updated_at)],
  ];
  return { id: a.id, name: a.name, description: a.description, facts: facts(all), terraform: accountImport(a) };
}

start({ accounts });
