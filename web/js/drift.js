import { start } from './app.js';
import { adopt, adoptAll, modulesOf, tarOf } from './drift-acts.js';
import { ACCOUNT, SCOPE, extra } from './columns.js';
import { facts } from './facts.js';
import { age, moment } from './format.js';
import { me } from './me.js';
import { records } from './records.js';
import { report } from './toasts.js';

// MEANS says what each kind of difference is.
const MEANS = {
  unmanaged: 'The cloud has it, and CloudPAM does not: nobody allocated it here.', missing: 'CloudPAM has it, and the cloud does not show it.', mismatched: 'Both have it, with different facts.',
  conflicting: 'What the cloud shows overlaps what is planned for something else.', misplaced: 'It is in another account, region or network than planned.',
};
const ANSWERS = { adopt: 'Adopt it: allocate its block, so that it is managed.', create: 'Create it in the cloud, by Terraform.', release: 'Release it here.' };

// beside puts the Terraform of the account into the open drawer, once it is read.
async function beside(d, list) {
  try {
    const { text } = await modulesOf(d.account);
    if (list.detail.id === d.id) list.detail.terraform = text;
  } catch (error) {
    report(error, 'The Terraform of ' + d.account + ' could not be written');
  }
}

function details(d, list) {
  if (d.account) beside(d, list);
  return {
    acts: d.task === 'adopt' && me.may('operator', d.scope) ? [{ word: 'Adopt…', first: true, run: () => adopt([d], list) }] : [],
    id: d.id, title: d.kind, cidr: d.cidr, lead: MEANS[d.kind], state: 'drift-' + d.kind, stateWord: d.detail,
    facts: facts([['Account', d.account, true], ['Region', d.region], ['Scope', d.scope], ['Desired', d.desired, true], ['Observed', d.observed, true], ['Pool', d.pool], ['Answer', ANSWERS[d.task] || 'Somebody has to look.'], ['Since', d.since ? moment(d.since) : ''], ['Id', d.id, true]]),
    links: [
      ...(d.pool ? [{ href: '/pools?' + new URLSearchParams({ scope: d.scope, pool: d.pool }), text: 'Open the pool around it' }] : []), ...(d.desired.startsWith('alloc_') ? [{ href: '/allocations?allocation=' + encodeURIComponent(d.desired), text: 'Its allocation' }] : []),
      ...(d.account ? [{ href: tarOf(d.account), text: 'The Terraform of its account as a tar' }, { href: '/drift?' + new URLSearchParams({ scope: d.scope, account: d.account }), text: 'All drift of its account' }] : []),
      { href: '/networks?' + new URLSearchParams({ contains: d.cidr }), text: 'What clouds show there' }, { href: '/find?' + new URLSearchParams({ cidr: d.cidr, scope: d.scope }), text: 'What CloudPAM has there' },
    ],
  };
}

start({ records: () => records({
  resource: 'drifts', place: 'drift', one: 'drift', noun: 'difference', fields: [{ ...SCOPE, placeholder: 'default' }, { name: 'kind', label: 'Kind', options: [['', 'All'], ...Object.keys(MEANS).map((kind) => [kind, kind])] }, ACCOUNT],
  columns: [{ head: 'CIDR', class: 'c-cidr', cell: (d) => ({ text: d.cidr, code: true }) }, { head: 'Difference', class: 'c-name', opens: true, cell: (d) => ({ text: d.kind, title: MEANS[d.kind] }) }, { head: 'Detail', class: 'c-who', cell: (d) => d.detail }, { head: 'Account', class: 'c-pool', cell: (d) => d.account }, extra('Region', 'region'), extra('Answer', 'task'), { head: 'Since', class: 'c-age num muted', cell: (d) => (d.since ? { text: age(d.since), title: moment(d.since) } : '') }],
  listed: true, details, acts: (list) => (me.may('operator') ? [{ word: 'Adopt all…', first: true, run: () => adoptAll(list) }] : []),
  empty: ['No difference was found.', 'Where a cloud shows something else than is planned here, it stands in this list. Only what accounts have been looked at can differ.'],
}) });
